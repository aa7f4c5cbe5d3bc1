import { EngineError } from '../../core/errors.ts'
import type { S3Lake, StoreSettings } from '../config/config.ts'
import type { StorePorts } from './open-store.ts'
import { createS3Client } from './s3-client.ts'
import { S3Connection } from './s3-connection.ts'
import { S3Store } from './s3-store.ts'

/** @throws EngineError `E_STORE_UNFIT` (stop) for a directory bucket */
export function openS3Store(lake: S3Lake, settings: StoreSettings, ports: StorePorts): S3Store {
  const { bucket, prefix } = lake
  if (bucket.endsWith('--x-s3')) {
    throw new EngineError(
      'E_STORE_UNFIT',
      'stop',
      `${lake.location} is in a directory bucket (S3 Express), which lists in no order; use a general purpose bucket`,
    )
  }
  const { encryption } = settings
  return new S3Store({
    connection: new S3Connection({ ...ports, client: createS3Client(settings) }),
    bucket,
    prefix,
    ...(encryption === undefined ? {} : { encryption }),
    stepReached: ports.stepReached,
  })
}
