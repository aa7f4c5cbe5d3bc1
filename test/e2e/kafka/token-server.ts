import { createServer, type Server } from 'node:http'

export const OAUTH_CLIENT = { clientId: 'alluvium', clientSecret: 'canary-client-secret' }

/** Hands out unsecured tokens to whoever knows the secret: the endpoint of OAuth 2 client credentials, in small. */
export class TokenServer {
  /** When each token was handed out, milliseconds. */
  readonly issuedAtMs: number[] = []
  readonly url: string
  readonly #server: Server

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  static async start(lifetimeSeconds: number): Promise<TokenServer> {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const tokens = new TokenServer(server, `http://127.0.0.1:${port}/token`)
    const login = Buffer.from(`${OAUTH_CLIENT.clientId}:${OAUTH_CLIENT.clientSecret}`).toString('base64')
    server.on('request', (request, response) => {
      if (request.headers.authorization !== `Basic ${login}`) {
        response.writeHead(401).end(JSON.stringify({ error: 'invalid_client' }))
        return
      }
      tokens.issuedAtMs.push(Date.now())
      const body = { access_token: unsecuredToken(lifetimeSeconds), expires_in: lifetimeSeconds }
      response.writeHead(200).end(JSON.stringify(body))
    })
    return tokens
  }

  close(): void {
    this.#server.close()
  }
}

/** A JSON web token that nobody has signed. */
export function unsecuredToken(lifetimeSeconds: number, subject = 'alluvium'): string {
  const issuedAt = Math.floor(Date.now() / 1000)
  const claims = { sub: subject, iat: issuedAt, exp: issuedAt + lifetimeSeconds }
  const parts = [{ alg: 'none' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return `${parts.join('.')}.`
}
