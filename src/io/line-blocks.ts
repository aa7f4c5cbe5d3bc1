import { type FileHandle, open } from 'node:fs/promises'
import { EngineError } from '../../core/errors.ts'

const BLOCK_BYTES = 1024 * 1024
/** Twice the greatest message a broker is ever set up for; a longer line is not a recording. */
const LINE_BYTES_MAX = 256 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * Reads bytes `[from, to)` of a file in blocks of whole lines, each about 1 MB or one line if that is longer. The last
 * block ends without a newline when byte `to - 1` is none.
 *
 * A block is only valid until the next one is asked for: its memory is used again.
 *
 * @throws EngineError `E_RECORDING` when a line is longer than 256 MB, or the file ends before `to`
 */
export async function* readLineBlocks(path: string, from: number, to: number): AsyncGenerator<Buffer> {
  const file = await open(path, 'r')
  try {
    let buffer: Buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(to - from, 1)))
    let filled = 0
    for (let position = from; position < to; ) {
      if (filled === buffer.length) buffer = doubled(buffer, path, position - filled)
      const wanted = Math.min(buffer.length - filled, to - position)
      const read = await readSome(file, path, buffer, filled, wanted, position)
      position += read
      filled += read
      const end = position === to ? filled : buffer.lastIndexOf(NEWLINE, filled - 1) + 1
      if (end === 0) continue
      yield buffer.subarray(0, end)
      buffer.copyWithin(0, end, filled)
      filled -= end
    }
  } finally {
    await file.close()
  }
}

async function readSome(
  file: FileHandle,
  path: string,
  buffer: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  const { bytesRead } = await file.read(buffer, at, length, position)
  if (bytesRead > 0) return bytesRead
  throw new EngineError(
    'E_RECORDING',
    'stop',
    `${path} became shorter while it was read: do not rewrite a recording`,
  )
}

function doubled(buffer: Buffer, path: string, lineStart: number): Buffer {
  if (buffer.length >= LINE_BYTES_MAX) {
    throw new EngineError(
      'E_RECORDING',
      'stop',
      `${path}: the line that begins at byte ${lineStart} is longer than ${LINE_BYTES_MAX} bytes`,
    )
  }
  const larger = Buffer.allocUnsafeSlow(buffer.length * 2)
  buffer.copy(larger)
  return larger
}
