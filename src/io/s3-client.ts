import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { StoreSettings } from '../config/config.ts'

/** How long the network may keep us waiting. */
export interface S3Timeouts {
  /** Until a connection stands. */
  readonly connectMs: number
  /** Without a byte in either direction. */
  readonly idleMs: number
}

export const S3_TIMEOUTS: S3Timeouts = { connectMs: 5000, idleMs: 45_000 }

/** Servers that are not AWS take any name, and this one by custom. */
const REGION_OF_OTHERS = 'us-east-1'

/**
 * A client of the AWS SDK that does what it is told and no more: it sends a request once, adds no checksum trailers
 * (many servers that speak S3 refuse them; a signed request carries the SHA-256 of its body anyway) and finds
 * credentials by the SDK's own chain: environment, profile, web identity, container, instance. Never anonymous.
 */
export function createS3Client(settings: StoreSettings, timeouts: S3Timeouts = S3_TIMEOUTS): S3Client {
  // Pinned version, known floor: the SDK's notice about coming versions is for us to read and not for who runs this.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const { endpoint, region, pathStyle } = settings
  const config: S3ClientConfig & { readonly ignoreCache: boolean } = {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...regionOf(endpoint, region),
    forcePathStyle: pathStyle,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: { connectionTimeout: timeouts.connectMs, socketTimeout: timeouts.idleMs },
    // Handed on to the credential chain: profiles are read again when credentials are refreshed.
    ignoreCache: true,
  }
  return new S3Client(config)
}

/** None: the SDK looks into `AWS_REGION` and the profile. */
function regionOf(endpoint: string | undefined, region: string | undefined): Pick<S3ClientConfig, 'region'> {
  if (region !== undefined) return { region }
  return endpoint === undefined ? {} : { region: process.env['AWS_REGION'] ?? REGION_OF_OTHERS }
}
