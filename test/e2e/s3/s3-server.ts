import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import type { StoreSettings } from '../../../src/config/config.ts'
import { createS3Client } from '../../../src/io/s3-client.ts'

const BINARY = resolve('.rig/bin/versitygw')
const READY_MS_MAX = 20_000

export const ACCESS = { AWS_ACCESS_KEY_ID: 'e2e-access', AWS_SECRET_ACCESS_KEY: 'e2e-secret-of-no-one' }

/** A real S3 server on a free port of this machine, its objects in a temporary directory; ended by its own handle. */
export class S3Server {
  readonly bucket = 'lake'
  readonly settings: StoreSettings
  readonly #directory: string
  readonly #process: ChildProcess
  #lastWords = ''

  private constructor(endpoint: string, directory: string, child: ChildProcess) {
    this.settings = { endpoint, region: 'us-east-1', pathStyle: true }
    this.#directory = directory
    this.#process = child
    child.stderr?.on('data', (bytes: Buffer) => {
      this.#lastWords = (this.#lastWords + bytes.toString()).slice(-2_000)
    })
  }

  /** Also puts the credentials where the SDK, our own processes and delta-rs look for them: into the environment. */
  static async start(): Promise<S3Server> {
    Object.assign(process.env, ACCESS)
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run test/e2e/s3/install.sh`)
    const directory = mkdtempSync(join(tmpdir(), 'alluvium-s3-'))
    const address = `127.0.0.1:${await freePort()}`
    const child = spawn(BINARY, ['--quiet', '--port', address, '--region', 'us-east-1', 'posix', directory], {
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: ACCESS.AWS_ACCESS_KEY_ID,
        ROOT_SECRET_KEY: ACCESS.AWS_SECRET_ACCESS_KEY,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const server = new S3Server(`http://${address}`, directory, child)
    try {
      await server.#makeBucket()
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  /** Where the server keeps the objects of the bucket, as files. */
  get files(): string {
    return join(this.#directory, this.bucket)
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = new Promise((done) => this.#process.once('exit', done))
      this.#process.kill('SIGKILL')
      await ended
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** The first request that is answered tells that the server is up. */
  async #makeBucket(): Promise<void> {
    const client = createS3Client(this.settings)
    for (let waitedMs = 0; ; waitedMs += 100) {
      try {
        await client.send(new CreateBucketCommand({ Bucket: this.bucket }))
        return
      } catch (error) {
        const isDead = this.#process.exitCode !== null
        if (isDead || waitedMs >= READY_MS_MAX)
          throw new Error(`the S3 server did not start: ${this.#lastWords}`, { cause: error })
        await after(100)
      }
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise((done) => probe.close(done))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
