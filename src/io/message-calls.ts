import type { MessagePort, Transferable } from 'node:worker_threads'
import { type CarriedError, carryError, unpackError } from './carried-error.ts'

/** A thread's end of its line to another one. */
export type Channel = Pick<MessagePort, 'postMessage'> & {
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** What one thread can ask of another: whatever goes in or comes out can be cloned. */
type Asked<Methods> = { readonly [Name in keyof Methods]: (...args: never[]) => Promise<unknown> }

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: CarriedError }

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Calls in both directions between two threads. They begin there in the order in which they are made here. */
export class MessageCalls<Theirs extends Asked<Theirs>> {
  readonly #channel: Channel
  readonly #answer: (method: string, args: readonly unknown[]) => Promise<unknown>
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 0
  #failure: { readonly error: unknown } | null = null

  /** @param ours what the other thread may ask */
  constructor(channel: Channel, ours: object) {
    this.#channel = channel
    const methods = new Map<string, (...args: readonly unknown[]) => Promise<unknown>>(Object.entries(ours))
    this.#answer = (method, args) => methods.get(method)!(...args)
    channel.on('message', (message) => this.#receive(message as Message))
  }

  /** @param transfer memory that is theirs from now on */
  call<Name extends keyof Theirs & string>(
    method: Name,
    args: Parameters<Theirs[Name]>,
    transfer: readonly Transferable[] = [],
  ): ReturnType<Theirs[Name]> {
    const id = this.#nextId++
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure.error)
      this.#post({ kind: 'call', id, method, args }, transfer)
      this.#waiting.set(id, { resolve, reject })
    })
    return answer as ReturnType<Theirs[Name]>
  }

  /** The other thread is gone: nothing is answered any more. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #receive(message: Message): void {
    if (message.kind === 'call') {
      void this.#serve(message)
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.kind === 'answer') waiting?.resolve(message.value)
    else waiting?.reject(unpackError(message.error))
  }

  async #serve({ id, method, args }: Extract<Message, { kind: 'call' }>): Promise<void> {
    try {
      this.#post({ kind: 'answer', id, value: await this.#answer(method, args) })
    } catch (error) {
      this.#post({ kind: 'failure', id, error: carryError(error) })
    }
  }

  #post(message: Message, transfer: readonly Transferable[] = []): void {
    this.#channel.postMessage(message, transfer)
  }
}
