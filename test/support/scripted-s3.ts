import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface SeenRequest {
  readonly method: string
  /** Decoded, with the bucket: `/lake/a.json`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** What the server does about a request. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void

/** A real HTTP server that answers as a test tells it, and remembers what it was asked. */
export class ScriptedS3 implements AsyncDisposable {
  readonly requests: SeenRequest[] = []
  /** Chooses the answer; replaced by tests. */
  answer: (request: SeenRequest) => Answer = () => refusal(500, 'NothingScripted')
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const seen = await readRequest(request)
      this.requests.push(seen)
      this.answer(seen)(response, seen)
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(): Promise<ScriptedS3> {
    const scripted = new ScriptedS3()
    await new Promise<void>((resolve) => scripted.#server.listen(0, '127.0.0.1', resolve))
    return scripted
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** One answer a request, in this order; the last one goes on. */
  inTurn(...answers: readonly Answer[]): void {
    let asked = 0
    this.answer = () => answers[Math.min(asked++, answers.length - 1)]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const url = new URL(request.url!, 'http://store')
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return {
    method: request.method!,
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: request.headers,
    body: Buffer.concat(chunks),
  }
}

export function success(body: string | Uint8Array = '', headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(200, headers).end(body)
}

/** An error as S3 tells it; without a body where HTTP allows none. */
export function refusal(
  status: number,
  code: string,
  more = '',
  headers: Record<string, string> = {},
): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>told by the store</Message>${more}</Error>`
  return (response, { method }) =>
    response
      .writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'REQ1', ...headers })
      .end(method === 'HEAD' ? undefined : xml)
}

/** The request arrived, its answer does not. */
export const reset: Answer = (response) => response.socket!.destroy()

/** The request arrived, and nothing happens. */
export const hang: Answer = () => {}

/** A body that ends before its time. */
export function cutOff(body: string, told: number): Answer {
  return (response) => {
    response.writeHead(200, { 'content-length': String(told) })
    response.write(body, () => response.socket!.destroy())
  }
}

/** A page of `ListObjectsV2`. */
export function page(keys: readonly string[], next?: string): Answer {
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key><Size>3</Size><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>`,
  )
  const truncated = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`
  return success(
    `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>` +
      `${truncated}${contents.join('')}</ListBucketResult>`,
    { 'content-type': 'application/xml' },
  )
}
