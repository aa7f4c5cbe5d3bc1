import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CopyFrames } from '../../../../src/io/copy-frames.ts'

function message(kind: string, content: string): Buffer {
  const header = Buffer.alloc(5)
  header.write(kind)
  header.writeInt32BE(content.length + 4, 1)
  return Buffer.concat([header, Buffer.from(content, 'latin1')])
}

/** Cuts bytes into pieces; each is a copy, since it may be written over. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, i) => Buffer.from(bytes.subarray(places[i]!, end)))
}

test('the data is the same wherever the pieces end, and what follows is left for the driver', () => {
  const texts = fc.array(fc.string({ unit: 'binary-ascii', maxLength: 20 }), { maxLength: 20 })
  fc.assert(
    fc.property(texts, fc.array(fc.nat(), { maxLength: 30 }), (rows, places) => {
      const messages = rows.flatMap((row, i) => [
        message('d', row),
        ...(i % 3 === 0 ? [message('N', 'a notice')] : []),
      ])
      const end = Buffer.concat([message('c', ''), message('C', 'COPY 3')])
      const frames = new CopyFrames()
      const data: Buffer[] = []
      let rest: Buffer[] | null = null
      for (const piece of cut(Buffer.concat([message('H', 'xx'), ...messages, end]), places)) {
        if (rest !== null) {
          rest.push(piece)
          continue
        }
        const taken = frames.take(piece)
        data.push(taken.data)
        if (taken.rest !== null) rest = [taken.rest]
      }
      expect(Buffer.concat(data).toString('latin1')).toBe(rows.join(''))
      expect(Buffer.concat(rest!)).toEqual(end)
    }),
  )
})
