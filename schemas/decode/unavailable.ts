import { createHash } from 'node:crypto'
import type { Wire } from '../column-spec.ts'
import { JSON_ARRAY, JSON_ESCAPED, JSON_INTEGER, JSON_OBJECT, JSON_REAL, type JsonTape } from './json-tape.ts'

/** Tells whether the value at a token stands for "not sent". */
export type UnavailableTest = (json: JsonTape, token: number) => boolean

/** Very old connectors wrote the Java object itself. */
const JAVA_OBJECT = /^java\.lang\.Object@[0-9a-f]{1,8}$/
const JAVA_OBJECT_LENGTH_MAX = 25

/**
 * The forms in which Debezium says that an unchanged TOAST value was not sent (formats.md §3): one per kind of column,
 * and always the whole value. An `int8[]` that really holds the bytes of the placeholder cannot be told from it.
 */
export class Placeholder {
  readonly #text: Buffer
  readonly #base64: Buffer
  readonly #uuid: Buffer
  readonly #codes: readonly number[]
  readonly #ofText: readonly Buffer[]
  readonly #ofBytes: readonly Buffer[]

  /** @param setting Debezium's `unavailable.value.placeholder`: a text, or `hex:` and bytes */
  constructor(setting: string) {
    const bytes = setting.startsWith('hex:') ? Buffer.from(setting.slice(4), 'hex') : Buffer.from(setting)
    const text = bytes.toString()
    this.#text = Buffer.from(text)
    this.#base64 = Buffer.from(bytes.toString('base64'))
    this.#uuid = Buffer.from(nameBasedUuid(bytes))
    this.#codes = [...bytes]
    const twice = Buffer.from(this.#base64.toString('base64'))
    const pair = JSON.stringify(text)
    // A text column may be a bytea in hex or base64 mode, or an hstore: nothing in the event tells.
    const hstore = Buffer.from(`{${pair}:${pair}}`)
    this.#ofText = [this.#text, hstore, Buffer.from(bytes.toString('hex')), this.#base64, twice]
    this.#ofBytes = [this.#base64, this.#text, twice]
  }

  /**
   * @param declared the schema parameter `__debezium.unavailable.value.placeholder`, which is exact and goes first
   * @returns `null` for columns of which Debezium never says it
   */
  testFor(wire: Wire, declared: string | null): UnavailableTest | null {
    if (declared !== null) return declaredTest(Buffer.from(declared))
    switch (wire.form) {
      case 'text':
        return (json, token) => isOneOf(json, token, this.#ofText) || isJavaObject(json, token)
      case 'base64':
        return (json, token) => isOneOf(json, token, this.#ofBytes)
      case 'map':
        return (json, token) => this.#isPair(json, token)
      case 'array':
        return this.#arrayTest(wire.element)
      default:
        return null
    }
  }

  #arrayTest(element: Wire): UnavailableTest | null {
    switch (element.form) {
      case 'text':
        return (json, token) => isOnly(json, token, [this.#text, this.#uuid, this.#base64])
      case 'base64':
        return (json, token) => isOnly(json, token, [this.#base64])
      case 'integer':
      case 'real':
      case 'date':
      case 'time':
      case 'timestamp':
        return (json, token) => this.#areCodes(json, token)
      default:
        return null
    }
  }

  #isPair(json: JsonTape, token: number): boolean {
    if (json.kind(token) !== JSON_OBJECT || json.next(token) !== token + 3) return false
    return isOneOf(json, token + 1, [this.#text]) && isOneOf(json, token + 2, [this.#text])
  }

  #areCodes(json: JsonTape, token: number): boolean {
    if (json.kind(token) !== JSON_ARRAY || json.next(token) !== token + 1 + this.#codes.length) return false
    return this.#codes.every((code, i) => {
      const kind = json.kind(token + 1 + i)
      return (kind === JSON_INTEGER || kind === JSON_REAL) && Number(json.text(token + 1 + i)) === code
    })
  }
}

/** The parameter holds a text as it is, all else as compact JSON. */
function declaredTest(form: Buffer): UnavailableTest {
  return (json, token) => (json.isString(token) ? isOneOf(json, token, [form]) : json.raw(token).equals(form))
}

function isOneOf(json: JsonTape, token: number, forms: readonly Buffer[]): boolean {
  if (!json.isString(token)) return false
  const length = json.end(token) - json.start(token)
  const isEscaped = json.kind(token) === JSON_ESCAPED
  for (const form of forms) {
    // An escape is up to six times as long as what it stands for: long texts are not decoded for this.
    const isPossible = isEscaped ? length > form.length && length <= form.length * 6 : length === form.length
    if (isPossible && json.equals(token, form)) return true
  }
  return false
}

function isOnly(json: JsonTape, token: number, forms: readonly Buffer[]): boolean {
  return json.kind(token) === JSON_ARRAY && json.next(token) === token + 2 && isOneOf(json, token + 1, forms)
}

function isJavaObject(json: JsonTape, token: number): boolean {
  if (json.bytes[json.start(token)] !== 0x6a || !json.isString(token)) return false
  return json.end(token) - json.start(token) <= JAVA_OBJECT_LENGTH_MAX && JAVA_OBJECT.test(json.text(token))
}

/** Java's `UUID.nameUUIDFromBytes`: version 3, without a name space. */
function nameBasedUuid(bytes: Uint8Array): string {
  const hash = createHash('md5').update(bytes).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x30
  hash[8] = (hash[8]! & 0x3f) | 0x80
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
