import { EngineError, type Remedy } from '../../core/errors.ts'

interface Diagnosis {
  readonly code: string
  readonly remedy: Remedy
  readonly cure: string
}

const BUSY: Diagnosis = {
  code: 'E_STORE_BUSY',
  remedy: 'retry',
  cure: 'the store did not do what was asked this time',
}
const UNREACHABLE: Diagnosis = {
  code: 'E_STORE_UNREACHABLE',
  remedy: 'retry',
  cure: 'no answer from the store; look at `store.endpoint`, the name service and the network',
}
const NO_BUCKET: Diagnosis = {
  code: 'E_STORE_NO_BUCKET',
  remedy: 'stop',
  cure: 'there is no such bucket; make it, or set `lake:` right',
}
const DENIED: Diagnosis = {
  code: 'E_STORE_DENIED',
  remedy: 'stop',
  cure:
    'these credentials may not do that; allow s3:ListBucket on the bucket and s3:GetObject, s3:PutObject, ' +
    's3:DeleteObject and s3:AbortMultipartUpload on its objects (and the use of the key, where KMS encrypts)',
}
const NO_CREDENTIALS: Diagnosis = {
  code: 'E_STORE_CREDENTIALS',
  remedy: 'stop',
  cure:
    'no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run under a role ' +
    '(web identity, container, instance)',
}
const UNKNOWN_CREDENTIALS: Diagnosis = {
  code: 'E_STORE_CREDENTIALS',
  remedy: 'stop',
  cure: 'the store does not accept these credentials; look at the access key, its secret and the session token',
}
const EXPIRED: Diagnosis = {
  code: 'E_STORE_EXPIRED',
  remedy: 'retry',
  cure: 'the credentials have expired; those of roles and profiles are fetched anew, others must be renewed',
}
const CLOCK: Diagnosis = {
  code: 'E_STORE_CLOCK',
  remedy: 'retry',
  cure: 'the clocks of this machine and of the store differ by more than 15 minutes; set the clock (NTP)',
}
const REGION: Diagnosis = {
  code: 'E_STORE_REGION',
  remedy: 'stop',
  cure: 'the bucket is not in the region that was asked; set `store.region`',
}
const NO_REGION: Diagnosis = {
  code: 'E_STORE_REGION',
  remedy: 'stop',
  cure: 'no region is known; set `store.region` or AWS_REGION',
}
const TLS: Diagnosis = {
  code: 'E_STORE_TLS',
  remedy: 'stop',
  cure:
    'the certificate of the store cannot be trusted; name the file of its authority in NODE_EXTRA_CA_CERTS ' +
    '(or write http:// where the store speaks no TLS)',
}
const UNFIT: Diagnosis = {
  code: 'E_STORE_UNFIT',
  remedy: 'stop',
  cure:
    'the store does not know a part of S3 on which safe commits rest (put with If-None-Match, ListObjectsV2); ' +
    'use a version or a store that does',
}
const FAILED: Diagnosis = {
  code: 'E_STORE_FAILED',
  remedy: 'stop',
  cure: 'the store refused, and trying again will not help',
}

/** By the code of an S3 answer, or the name of an error of the SDK. */
const BY_NAME: Readonly<Record<string, Diagnosis>> = {
  NoSuchBucket: NO_BUCKET,
  AccessDenied: DENIED,
  AllAccessDisabled: DENIED,
  AccountProblem: DENIED,
  InvalidAccessKeyId: UNKNOWN_CREDENTIALS,
  SignatureDoesNotMatch: UNKNOWN_CREDENTIALS,
  InvalidToken: UNKNOWN_CREDENTIALS,
  InvalidClientTokenId: UNKNOWN_CREDENTIALS,
  CredentialsProviderError: NO_CREDENTIALS,
  TokenProviderError: NO_CREDENTIALS,
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  RequestExpired: EXPIRED,
  RequestTimeTooSkewed: CLOCK,
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  InvalidRegionName: REGION,
  NotImplemented: UNFIT,
  ConditionalRequestConflict: BUSY,
  OperationAborted: BUSY,
  RequestTimeout: BUSY,
  SlowDown: BUSY,
  BadDigest: BUSY,
  IncompleteBody: BUSY,
  XAmzContentSHA256Mismatch: BUSY,
  TemporaryRedirect: BUSY,
  // Somebody (a lifecycle rule, an operator) ended the upload; another one begins anew.
  NoSuchUpload: BUSY,
  AbortError: UNREACHABLE,
  TimeoutError: UNREACHABLE,
}

/** By the code of an error of Node: sockets, names, TLS. */
const BY_SYSTEM_CODE: Readonly<Record<string, Diagnosis>> = {
  ECONNRESET: UNREACHABLE,
  ECONNREFUSED: UNREACHABLE,
  ECONNABORTED: UNREACHABLE,
  EPIPE: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  EMFILE: UNREACHABLE,
  ERR_STREAM_PREMATURE_CLOSE: UNREACHABLE,
  HPE_INVALID_CONSTANT: UNREACHABLE,
  EPROTO: TLS,
  CERT_HAS_EXPIRED: TLS,
  CERT_NOT_YET_VALID: TLS,
  DEPTH_ZERO_SELF_SIGNED_CERT: TLS,
  SELF_SIGNED_CERT_IN_CHAIN: TLS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TLS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: TLS,
}

/** What the SDK tells about a request that went wrong. */
interface Facts {
  /** Code of the S3 answer (`SlowDown`), or name of the error. */
  readonly name: string
  /** Of the HTTP answer; `undefined` when there was none. */
  readonly status: number | undefined
  readonly requestId: string | undefined
  /** Code of Node's error beneath. */
  readonly systemCode: string | undefined
  /** The region that the store names instead of ours. */
  readonly region: string | undefined
  readonly message: string
}

/** The code of an S3 answer (`NoSuchKey`), or the name of whatever else was thrown. */
export function s3Code(error: unknown): string {
  return factsOf(error).name
}

/** HTTP status of the answer; `undefined` when there was none. */
export function s3Status(error: unknown): number | undefined {
  return factsOf(error).status
}

/**
 * Turns what the SDK throws into an `EngineError` whose remedy the loop can follow; any other error is given back as
 * it is. The SDK's error itself is left behind: it carries headers and, of some refusals, parts of the signature.
 *
 * @param doing what was tried, as the beginning of a sentence: `cannot write s3://lake/a.parquet`
 */
export function toStoreError(error: unknown, doing: string): unknown {
  if (error instanceof EngineError) return error
  const facts = factsOf(error)
  const diagnosis = diagnose(facts)
  if (diagnosis === null) return error
  const region = diagnosis === REGION && facts.region !== undefined ? ` to ${facts.region}` : ''
  const told = diagnosis === DENIED || diagnosis === FAILED ? describeMessage(facts) : ''
  return new EngineError(
    diagnosis.code,
    diagnosis.remedy,
    `${doing}: ${diagnosis.cure}${region}${told} (${describe(facts)})`,
  )
}

function factsOf(error: unknown): Facts {
  const thrown = record(error)
  const metadata = record(thrown['$metadata'])
  const headers = record(record(thrown['$response'])['headers'])
  const { name, code } = thrown
  return {
    name: text(name) ?? 'unknown error',
    status: typeof metadata['httpStatusCode'] === 'number' ? metadata['httpStatusCode'] : undefined,
    requestId: text(metadata['requestId']),
    systemCode: text(code) ?? text(record(thrown['cause'])['code']),
    region: text(headers['x-amz-bucket-region']) ?? text(thrown['Region']),
    message: text(thrown['message']) ?? '',
  }
}

/** @returns `null` for an error that is not of the store or the way to it: a bug of ours */
function diagnose({ name, status, systemCode, message }: Facts): Diagnosis | null {
  const known = BY_NAME[name] ?? (systemCode === undefined ? undefined : BY_SYSTEM_CODE[systemCode])
  if (known !== undefined) return known
  if (status !== undefined) return byStatus(status, name)
  return /^Region is missing/.test(message) ? NO_REGION : null
}

/** Answers without a body (to HEAD: `Unknown`), and codes that only one vendor has. */
function byStatus(status: number, name: string): Diagnosis {
  if (status === 501) return UNFIT
  if (status >= 500 || status === 408 || status === 429) return BUSY
  if (status === 403) return DENIED
  if (status === 301) return REGION
  // Cannot say why; of the reasons for it this one passes, and any other is told by the next request that is no HEAD.
  if (status === 400 && name === 'Unknown') return EXPIRED
  return FAILED
}

function describe({ name, status, requestId, systemCode }: Facts): string {
  const http = status === undefined ? [] : [`HTTP ${status}`]
  const request = requestId === undefined ? [] : [`request ${requestId}`]
  return [status === undefined ? (systemCode ?? name) : name, ...http, ...request].join(', ')
}

const MESSAGE_LENGTH_MAX = 300

/** The store's own words, without what looks like an access key. */
function describeMessage({ message }: Facts): string {
  const plain = message.replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '[redacted]').replace(/\s+/g, ' ')
  return plain === '' ? '' : `: ${plain.slice(0, MESSAGE_LENGTH_MAX)}`
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
