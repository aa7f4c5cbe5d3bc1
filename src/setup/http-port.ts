/** One question of an HTTP interface. */
export interface HttpQuestion {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly url: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** The header of that name. */
  readonly authorization?: string
}

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/** Rejects with what Node throws when there is no answer. */
export type AskHttp = (question: HttpQuestion) => Promise<HttpAnswer>
