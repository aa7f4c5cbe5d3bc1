import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { S3Connection } from './s3-connection.ts'
import { s3Code } from './s3-error.ts'

const PART_BYTES = 8 * 1024 * 1024
/** With the bytes themselves at hand this costs sockets, not memory. */
const PARTS_AT_ONCE = 4

/** Where the object goes, and how it is encrypted. */
export type UploadTarget = Pick<
  PutObjectCommandInput,
  'Bucket' | 'Key' | 'ServerSideEncryption' | 'SSEKMSKeyId'
>

/**
 * Uploads an object in parts that are sent again one by one. Ended by an error it leaves no parts behind; ended by a
 * crash it does, until a lifecycle rule of the bucket removes them.
 */
export async function uploadInParts(
  connection: S3Connection,
  doing: string,
  target: UploadTarget,
  bytes: Uint8Array,
): Promise<void> {
  const { UploadId } = await connection.repeatedly(doing, (client, abortSignal) =>
    client.send(new CreateMultipartUploadCommand(target), { abortSignal }),
  )
  const upload = { Bucket: target.Bucket, Key: target.Key, UploadId }
  const sendPart = async (index: number): Promise<CompletedPart> => {
    const Body = bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES)
    const part = new UploadPartCommand({ ...upload, PartNumber: index + 1, Body })
    const { ETag } = await connection.repeatedly(doing, (client, abortSignal) =>
      client.send(part, { abortSignal }),
    )
    return { PartNumber: index + 1, ETag }
  }
  try {
    const Parts = await allParts(Math.ceil(bytes.length / PART_BYTES), sendPart)
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })
    await connection.repeatedly(doing, async (client, abortSignal) => {
      try {
        await client.send(complete, { abortSignal })
      } catch (error) {
        // Sent again after a lost answer, when the first one had arrived.
        const isOver = s3Code(error) === 'NoSuchUpload'
        if (!isOver || (await sizeOf(client, target, abortSignal)) !== bytes.length) throw error
      }
    })
  } catch (error) {
    const abort = new AbortMultipartUploadCommand(upload)
    await connection
      .repeatedly(doing, (client, abortSignal) => client.send(abort, { abortSignal }))
      .catch(() => {}) // the first error is the one to tell
    throw error
  }
}

/** All parts in order. When one fails, it ends only when none is on its way: a late part would outlive the abort. */
async function allParts(
  count: number,
  send: (index: number) => Promise<CompletedPart>,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = []
  let next = 0
  const sendSome = async () => {
    while (next < count) {
      const index = next++
      try {
        parts[index] = await send(index)
      } catch (error) {
        next = count
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, sendSome))
  const failure = ends.find((end) => end.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return parts
}

async function sizeOf(
  client: S3Client,
  { Bucket, Key }: UploadTarget,
  abortSignal: AbortSignal,
): Promise<number | undefined> {
  return (await client.send(new HeadObjectCommand({ Bucket, Key }), { abortSignal })).ContentLength
}
