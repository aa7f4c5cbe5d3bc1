import type { Clock, ObjectStore, Random } from '../../core/ports.ts'
import {
  type Answer,
  type Ask,
  answerPath,
  parseAnswer,
  parseRequest,
  placeInFolder,
  REQUEST_KEPT_MS,
  type Request,
  renderAnswer,
  renderRequest,
  requestName,
  requestPath,
  requestsFolder,
} from './request.ts'

export interface RequestBoxPorts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

/** The requests of one pipeline as they lie in the lake: left by commands, answered by the pipeline's processes. */
export class RequestBox {
  readonly #ports: RequestBoxPorts
  readonly #pipeline: string

  constructor(ports: RequestBoxPorts, pipeline: string) {
    this.#ports = ports
    this.#pipeline = pipeline
  }

  /** @param lifeMs after which nobody honours it any more */
  async leave(ask: Ask, lifeMs: number): Promise<Request> {
    const { store, clock, random } = this.#ports
    for (;;) {
      const createdMs = clock.nowMs()
      const id = requestName(createdMs, random)
      const request: Request = { id, createdMs, expiresMs: createdMs + lifeMs, ask }
      const path = requestPath(this.#pipeline, id)
      if ((await store.putIfAbsent('request.put', path, renderRequest(request))) === 'created') return request
    }
  }

  /** Oldest first. One listing, and a read for each request that lies there; nothing else while there is none. */
  async list(): Promise<readonly Request[]> {
    const { store, clock } = this.#ports
    const requests: Request[] = []
    for (const { path } of await store.list('request.list', requestsFolder(this.#pipeline))) {
      const place = placeInFolder(path)
      if (place === null) continue
      if (clock.nowMs() - place.createdMs > REQUEST_KEPT_MS) {
        await store.delete('request.delete', path)
        continue
      }
      if (place.process !== null) continue
      const bytes = await store.get('request.get', path)
      if (bytes !== null) requests.push(parseRequest(place.id, bytes))
    }
    return requests
  }

  async answer(request: Request, answer: Answer): Promise<void> {
    const path = answerPath(this.#pipeline, request.id, answer.process)
    await this.#ports.store.put('request.answer', path, renderAnswer(answer))
  }

  async answers({ id }: Request): Promise<readonly Answer[]> {
    const { store } = this.#ports
    const answers: Answer[] = []
    for (const { path } of await store.list('request.list', `${requestsFolder(this.#pipeline)}${id}`)) {
      if (placeInFolder(path)?.process == null) continue
      const bytes = await store.get('request.get', path)
      const answer = bytes === null ? null : parseAnswer(bytes)
      if (answer !== null) answers.push(answer)
    }
    return answers
  }

  /** Takes the request away; its answers stay until they expire. */
  async withdraw({ id }: Request): Promise<void> {
    await this.#ports.store.delete('request.delete', requestPath(this.#pipeline, id))
  }

  /** Takes away a request and all that was answered. */
  async clear(request: Request): Promise<void> {
    const { store } = this.#ports
    await this.withdraw(request)
    for (const { path } of await store.list('request.list', `${requestsFolder(this.#pipeline)}${request.id}`))
      await store.delete('request.delete', path)
  }
}
