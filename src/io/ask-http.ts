import type { AskHttp } from '../setup/http-port.ts'

const ANSWER_MS_MAX = 90_000
/** No answer of an interface that we ask is larger, unless it is not what we take it for. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024

/** Follows redirects: a worker of Kafka Connect sends on to the one that leads. */
export const askHttp: AskHttp = async ({ method, url, body, authorization }) => {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(authorization === undefined ? {} : { authorization }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await boundedText(response) }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > ANSWER_BYTES_MAX) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
