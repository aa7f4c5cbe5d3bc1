/** An object that comes in parts, as a whole. */
export async function gathered(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part.slice())
  return Buffer.concat(all)
}
