import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: {
    readonly exceptionDetails?: { readonly text: string }
    readonly entry?: { readonly text: string }
  }
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** One page in a real Chromium, driven over its debugging pipe. */
export class BrowserPage {
  /** What the page complained of: exceptions, refused requests. */
  readonly complaints: string[] = []
  readonly #browser: ChildProcess
  readonly #profile: string
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #nextId = 1
  #session = ''

  private constructor(browser: ChildProcess, profile: string) {
    this.#browser = browser
    this.#profile = profile
    let text = ''
    const pipe = browser.stdio[4] as Readable
    pipe.setEncoding('utf8').on('data', (part: string) => {
      const messages = (text + part).split('\0')
      text = messages.pop()!
      for (const message of messages) this.#receive(JSON.parse(message) as Answer)
    })
  }

  static async open(
    url: string,
    look: { width: number; height: number; dark: boolean },
  ): Promise<BrowserPage> {
    const profile = mkdtempSync(join(tmpdir(), 'alluvium-browser-'))
    const args = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-pipe',
      '--hide-scrollbars',
    ]
    const browser = spawn('chromium', [...args, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      // A group of its own, to be ended as one.
      detached: true,
    })
    const page = new BrowserPage(browser, profile)
    const { targetInfos } = (await page.#send('Target.getTargets', {})) as {
      targetInfos: { type: string; targetId: string }[]
    }
    const { targetId } = targetInfos.find(({ type }) => type === 'page')!
    const attached = await page.#send('Target.attachToTarget', { targetId, flatten: true })
    page.#session = attached['sessionId'] as string
    const { width, height, dark } = look
    await page.#send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    })
    await page.#send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
    })
    await page.#send('Runtime.enable', {})
    await page.#send('Log.enable', {})
    await page.#send('Page.enable', {})
    await page.#send('Page.navigate', { url })
    return page
  }

  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.#send('Runtime.evaluate', {
      ...{ expression, awaitPromise: true, returnByValue: true },
    })) as { result: { value: T }; exceptionDetails?: { text: string } }
    if (exceptionDetails !== undefined) throw new TypeError(`${expression}: ${exceptionDetails.text}`)
    return result.value
  }

  /** Until the expression is true. */
  async until(expression: string, timeoutMs = 15_000): Promise<void> {
    const endMs = Date.now() + timeoutMs
    while (!(await this.evaluate<boolean>(expression))) {
      if (Date.now() > endMs) throw new TypeError(`never came: ${expression}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async screenshot(file: string): Promise<void> {
    const { data } = (await this.#send('Page.captureScreenshot', { format: 'png' })) as { data: string }
    writeFileSync(file, Buffer.from(data, 'base64'))
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#browser.once('exit', resolve))
    // Its helpers too: they go on writing into the profile for a while.
    process.kill(-this.#browser.pid!, 'SIGKILL')
    await ended
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  async #send(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = this.#nextId++
    const session = this.#session === '' ? {} : { sessionId: this.#session }
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    ;(this.#browser.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    const { result, error } = await answer
    if (error !== undefined) throw new TypeError(`${method}: ${error.message}`)
    return result ?? {}
  }

  #receive(answer: Answer): void {
    if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer)
    const complaint = answer.params?.exceptionDetails?.text ?? answer.params?.entry?.text
    if (complaint !== undefined) this.complaints.push(complaint)
  }
}
