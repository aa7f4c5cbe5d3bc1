import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { EngineError } from '../../core/errors.ts'
import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome, StepReached } from '../../core/ports.ts'
import { compareUtf8 } from '../../core/utf8-order.ts'
import type { StoreEncryption } from '../config/config.ts'
import { refuseEscape, refuseEscapingPrefix } from './plain-path.ts'
import type { S3Connection } from './s3-connection.ts'
import { s3Code, s3Status } from './s3-error.ts'
import { type UploadTarget, uploadInParts } from './s3-multipart.ts'
import { cutIntoParts, gatherParts } from './upload-parts.ts'

/** Above this an object goes up in parts; a log entry never does. */
const ONE_PUT_BYTES_MAX = 16 * 1024 * 1024
/** With the bytes themselves at hand this costs sockets, not memory. */
const PARTS_AT_ONCE = 4
/** What S3 gives at most. */
const PAGE = 1000
/** A log entry that meets so many others on its way meets them for a reason that waiting does not cure. */
const CONFLICTS_MAX = 10

export interface S3StoreOptions {
  readonly connection: S3Connection
  readonly bucket: string
  /** Of all keys, without slashes at its ends; may be empty. */
  readonly prefix: string
  readonly encryption?: StoreEncryption
  /**
   * Told `<site>:before` by both puts, then `<site>:written` by `put` and `<site>:created` by `putIfAbsent`, also when
   * the object was there.
   */
  readonly stepReached?: StepReached
}

/**
 * A part of an S3 bucket as an object store. Everything but the conditional put is repeated on a bad day (see
 * `S3Connection`); what is read is checked against the length that the store told.
 */
export class S3Store implements ObjectStore {
  readonly location: string
  readonly #connection: S3Connection
  readonly #bucket: string
  /** Empty, or ends in `/`. */
  readonly #root: string
  readonly #encryption: Omit<UploadTarget, 'Bucket' | 'Key'>
  readonly #stepReached: StepReached

  constructor({ connection, bucket, prefix, encryption, stepReached }: S3StoreOptions) {
    this.location = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
    this.#connection = connection
    this.#bucket = bucket
    this.#root = prefix === '' ? '' : `${prefix}/`
    this.#encryption = encryption === undefined ? {} : encryptionOf(encryption)
    this.#stepReached = stepReached ?? (() => {})
  }

  async get(_site: string, path: string): Promise<Uint8Array | null> {
    const command = new GetObjectCommand(this.#place(path))
    return this.#connection.repeatedly(this.#cannot('read', path), (client, abortSignal) =>
      unlessAbsent(async () => {
        const answer = await client.send(command, { abortSignal })
        return readBody(answer, answer.ContentLength)
      }),
    )
  }

  /** A range that passes the end of the object is cut off there. */
  async getRange(site: string, path: string, start: number, end: number): Promise<Uint8Array | null> {
    if (end <= start) return (await this.head(site, path)) === null ? null : new Uint8Array(0)
    const command = new GetObjectCommand({ ...this.#place(path), Range: `bytes=${start}-${end - 1}` })
    return this.#connection.repeatedly(this.#cannot('read', path), (client, abortSignal) =>
      unlessAbsent(async () => {
        try {
          return await readRange(await client.send(command, { abortSignal }), start, end)
        } catch (error) {
          if (s3Status(error) === 416) return new Uint8Array(0)
          throw error
        }
      }),
    )
  }

  async head(_site: string, path: string): Promise<ObjectInfo | null> {
    const command = new HeadObjectCommand(this.#place(path))
    return this.#connection.repeatedly(this.#cannot('look up', path), (client, abortSignal) =>
      unlessAbsent(async () => {
        const { ContentLength, LastModified } = await client.send(command, { abortSignal })
        return { path, sizeBytes: ContentLength ?? 0, modifiedMs: LastModified?.getTime() ?? 0 }
      }),
    )
  }

  async put(site: string, path: string, bytes: Uint8Array): Promise<void> {
    const target = { ...this.#place(path), ...this.#encryption }
    const doing = this.#cannot('write', path)
    this.#stepReached(`${site}:before`)
    if (bytes.length > ONE_PUT_BYTES_MAX) {
      await uploadInParts(this.#connection, doing, target, cutIntoParts(bytes), PARTS_AT_ONCE)
    } else {
      const command = new PutObjectCommand({ ...target, Body: bytes })
      await this.#connection.repeatedly(doing, (client, abortSignal) => client.send(command, { abortSignal }))
    }
    this.#stepReached(`${site}:written`)
  }

  /** While one part is on its way the next one is gathered; a small object is a single put. */
  async putParts(site: string, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const gathered = gatherParts(parts)
    const begun = [await gathered.next(), await gathered.next()]
    if (begun[1]!.done === true) return this.put(site, path, begun[0]!.value ?? new Uint8Array(0))
    const target = { ...this.#place(path), ...this.#encryption }
    this.#stepReached(`${site}:before`)
    const whole = resumed(begun, gathered)
    await uploadInParts(this.#connection, this.#cannot('write', path), target, whole, 1)
    this.#stepReached(`${site}:written`)
  }

  /**
   * One request with `If-None-Match: *`, sent again only when the store says that it did not look at it (409, which is
   * not 412). An error with `retry` leaves open whether the bytes arrived: the caller reads back.
   */
  async putIfAbsent(site: string, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    const target = { ...this.#place(path), ...this.#encryption }
    const command = new PutObjectCommand({ ...target, Body: bytes, IfNoneMatch: '*' })
    this.#stepReached(`${site}:before`)
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#connection.once(
        this.#cannot('create', path),
        async (client, abortSignal) => {
          try {
            await client.send(command, { abortSignal })
            return 'created'
          } catch (error) {
            if (s3Status(error) === 412) return 'exists'
            if (isConflict(error) && attempt < CONFLICTS_MAX) return 'conflict'
            throw error
          }
        },
      )
      if (outcome !== 'conflict') {
        this.#stepReached(`${site}:created`)
        return outcome
      }
      await this.#connection.pause(attempt)
    }
  }

  async list(
    _site: string,
    prefix: string,
    startAfter = '',
    limit = Number.POSITIVE_INFINITY,
  ): Promise<readonly ObjectInfo[]> {
    refuseEscapingPrefix(prefix)
    const found: ObjectInfo[] = []
    let token: string | undefined
    do {
      const page = await this.#listPage(prefix, startAfter, limit - found.length, token)
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const path = Key!.slice(this.#root.length)
        // Consoles make an empty object for a folder; there are servers that do not know `start-after`.
        if (path === '' || path.endsWith('/') || compareUtf8(path, startAfter) <= 0) continue
        found.push({ path, sizeBytes: Size ?? 0, modifiedMs: LastModified?.getTime() ?? 0 })
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined && found.length < limit)
    return found.sort((a, b) => compareUtf8(a.path, b.path))
  }

  async delete(_site: string, path: string): Promise<void> {
    const command = new DeleteObjectCommand(this.#place(path))
    await this.#connection.repeatedly(this.#cannot('delete', path), (client, abortSignal) =>
      unlessAbsent(() => client.send(command, { abortSignal })),
    )
  }

  #listPage(
    prefix: string,
    startAfter: string,
    wanted: number,
    token: string | undefined,
  ): Promise<ListObjectsV2CommandOutput> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: this.#root + prefix,
      MaxKeys: Math.min(PAGE, wanted),
      ...(startAfter === '' ? {} : { StartAfter: this.#root + startAfter }),
      ...(token === undefined ? {} : { ContinuationToken: token }),
    })
    return this.#connection.repeatedly(this.#cannot('list', prefix), (client, abortSignal) =>
      client.send(command, { abortSignal }),
    )
  }

  #place(path: string): { readonly Bucket: string; readonly Key: string } {
    refuseEscape(path)
    return { Bucket: this.#bucket, Key: this.#root + path }
  }

  #cannot(verb: string, path: string): string {
    return `cannot ${verb} ${this.location}/${path}`
  }
}

/** What was taken already, and held no longer than it has to, then the rest. */
async function* resumed<T>(begun: IteratorResult<T, void>[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  for (let taken = begun.shift(); taken !== undefined; taken = begun.shift())
    if (taken.done !== true) yield taken.value
  yield* rest
}

function encryptionOf({ kind, keyId }: StoreEncryption): Omit<UploadTarget, 'Bucket' | 'Key'> {
  return { ServerSideEncryption: kind, ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }) }
}

/** An answer to HEAD has no body and so no code: its 404 may also mean the bucket, which the start-up probe has seen. */
async function unlessAbsent<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    const code = s3Code(error)
    if (code === 'NoSuchKey' || code === 'NotFound') return null
    throw error
  }
}

function isConflict(error: unknown): boolean {
  const code = s3Code(error)
  return code === 'ConditionalRequestConflict' || code === 'OperationAborted'
}

/** @throws EngineError (retry) when the body ends before its time, which HTTP alone does not always tell */
async function readBody({ Body }: GetObjectCommandOutput, wanted: number | undefined): Promise<Uint8Array> {
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0)
  if (wanted === undefined || bytes.length === wanted) return bytes
  throw new EngineError(
    'E_STORE_BUSY',
    'retry',
    `the answer of the store was cut off after ${bytes.length} of ${wanted} bytes`,
  )
}

/** A server may answer with the whole object: it names no range then. */
async function readRange(answer: GetObjectCommandOutput, start: number, end: number): Promise<Uint8Array> {
  const told = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '')
  if (told === null) return (await readBody(answer, answer.ContentLength)).subarray(start, end)
  if (Number(told[1]) === start) return readBody(answer, Math.min(end, Number(told[2])) - start)
  throw new EngineError('E_STORE_BUSY', 'retry', `the store answered with another range (${told[0]})`)
}
