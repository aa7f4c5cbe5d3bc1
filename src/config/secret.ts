const REDACTED = '[redacted]'

/** A value that no log, message or printed configuration shows. Only the code that connects calls `reveal`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED
  }
}

/**
 * The second net, for text that others wrote (a driver's error message): passwords in URLs, `password=` and
 * `SharedAccessKey=` settings, AWS key ids and JSON web tokens give way to `[redacted]`. JSON stays JSON.
 */
export function redactSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@"]*):[^\s/"]*@/gi, `$1:${REDACTED}@`)
    .replace(
      /\b(password|pwd|SharedAccessKey|secret)(["']?\s*[=:]\s*)(?:(\\?["'])((?!\3).)+|[^\s;,&"'\\]+)/gi,
      (_, name: string, sign: string, quote?: string) => name + sign + (quote ?? '') + REDACTED,
    )
    .replace(/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED)
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED)
}
