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
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  partsAtOnce: number,
): Promise<void> {
  const { UploadId } = await connection.repeatedly(doing, (client, abortSignal) =>
    client.send(new CreateMultipartUploadCommand(target), { abortSignal }),
  )
  const upload = { Bucket: target.Bucket, Key: target.Key, UploadId }
  let sizeBytes = 0
  const sendPart = async (PartNumber: number, Body: Uint8Array): Promise<CompletedPart> => {
    sizeBytes += Body.length
    const part = new UploadPartCommand({ ...upload, PartNumber, Body })
    const { ETag } = await connection.repeatedly(doing, (client, abortSignal) =>
      client.send(part, { abortSignal }),
    )
    return { PartNumber, ETag }
  }
  try {
    const Parts = await sendAll(parts, partsAtOnce, sendPart)
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })
    await connection.repeatedly(doing, async (client, abortSignal) => {
      try {
        await client.send(complete, { abortSignal })
      } catch (error) {
        // Sent again after a lost answer, when the first one had arrived.
        const isOver = s3Code(error) === 'NoSuchUpload'
        if (!isOver || (await sizeOf(client, target, abortSignal)) !== sizeBytes) throw error
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
async function sendAll(
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  partsAtOnce: number,
  send: (number: number, part: Uint8Array) => Promise<CompletedPart>,
): Promise<CompletedPart[]> {
  const all: Promise<CompletedPart>[] = []
  /** A part that failed stays among them, for the next wait to end with its error. */
  const onTheirWay = new Set<Promise<CompletedPart>>()
  try {
    for await (const part of parts) {
      if (onTheirWay.size === partsAtOnce) await Promise.race(onTheirWay)
      const sending = send(all.length + 1, part)
      all.push(sending)
      onTheirWay.add(sending)
      sending.then(
        () => onTheirWay.delete(sending),
        () => {},
      )
    }
    return await Promise.all(all)
  } finally {
    await Promise.allSettled(all)
  }
}

async function sizeOf(
  client: S3Client,
  { Bucket, Key }: UploadTarget,
  abortSignal: AbortSignal,
): Promise<number | undefined> {
  return (await client.send(new HeadObjectCommand({ Bucket, Key }), { abortSignal })).ContentLength
}
