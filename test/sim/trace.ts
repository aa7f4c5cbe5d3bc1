import { createHash } from 'node:crypto'

/** What happened, a line an event. Two runs of one seed have the same lines. */
export class Trace {
  readonly lines: string[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  note(who: string, what: string): void {
    this.lines.push(`${this.#nowMs().toFixed(1).padStart(9)} ${who.padEnd(8)} ${what}`)
  }

  get hash(): string {
    const hash = createHash('sha256')
    for (const line of this.lines) hash.update(line).update('\n')
    return hash.digest('hex').slice(0, 16)
  }
}
