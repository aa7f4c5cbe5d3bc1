import { describe, expect, test } from 'vitest'
import { Secret } from '../../../../src/config/secret.ts'
import { awaitStreaming } from '../../../../src/setup/await-streaming.ts'
import { ConnectClient, type ConnectorStatus } from '../../../../src/setup/connect-client.ts'
import type { HttpAnswer, HttpQuestion } from '../../../../src/setup/http-port.ts'

/** Time passes when somebody sleeps. */
function madeUpClock() {
  let now = 0
  return {
    nowMs: () => now,
    monotonicMs: () => now,
    sleep: async (ms: number) => {
      now += ms
    },
  }
}

type Reply = HttpAnswer | Error | ((question: HttpQuestion) => HttpAnswer)

const json = (value: unknown, status = 200): HttpAnswer => ({ status, text: JSON.stringify(value) })

function client(replies: Readonly<Record<string, readonly Reply[]>>, urls = ['http://a:8083']) {
  const asked: HttpQuestion[] = []
  const left = new Map(Object.entries(replies).map(([key, list]) => [key, [...list]]))
  const ask = async (question: HttpQuestion): Promise<HttpAnswer> => {
    asked.push(question)
    const list = left.get(`${question.method} ${question.url}`) ?? left.get(question.url) ?? []
    const reply = list.length > 1 ? list.shift()! : list[0]
    if (reply === undefined) throw new Error(`nothing at ${question.method} ${question.url}`)
    if (reply instanceof Error) throw reply
    return typeof reply === 'function' ? reply(question) : reply
  }
  const login = { username: 'u', password: new Secret('canary') }
  return { asked, connect: new ConnectClient({ urls, login }, ask, madeUpClock()) }
}

const status = (state: string, task: string, trace?: string): ConnectorStatus => ({
  name: 'c',
  state,
  worker: 'w',
  trace: null,
  tasks: [{ id: 0, state: task, worker: 'w', trace: trace ?? null }],
})

describe('ConnectClient', () => {
  const at = 'http://a:8083/connectors/c/config'

  test('changes only what differs', async () => {
    const { connect, asked } = client({
      [`GET ${at}`]: [json({}, 404), json({ a: '1', name: 'c' }), json({ a: '2', name: 'c' })],
      [`PUT ${at}`]: [json({})],
    })
    expect([
      await connect.put('c', { a: '1' }),
      await connect.put('c', { a: '1' }),
      await connect.put('c', { a: '1' }),
    ]).toEqual(['created', 'same', 'changed'])
    expect(asked.filter(({ method }) => method === 'PUT')).toHaveLength(2)
  })

  test('waits while the workers agree anew', async () => {
    const conflict = json({ message: 'rebalance' }, 409)
    const { connect } = client({ 'http://a:8083/connectors': [conflict, conflict, json(['c'])] })
    expect(await connect.names()).toEqual(['c'])
    const never = client({ 'http://a:8083/connectors': [conflict] })
    await expect(never.connect.names()).rejects.toMatchObject({
      code: 'E_CONNECT_FAILED',
      message: expect.stringContaining('409'),
    })
  })

  test('asks the next worker when one does not answer', async () => {
    const { connect } = client(
      {
        'http://a:8083/connectors': [new TypeError('fetch failed')],
        'http://b:8083/connectors': [json(['c'])],
      },
      ['http://a:8083', 'http://b:8083/'],
    )
    expect(await connect.names()).toEqual(['c'])
  })

  test.each<[Reply, string, RegExp]>([
    [new TypeError('fetch failed'), 'E_CONNECT_UNREACHABLE', /no answer from Connect at http:\/\/a:8083/],
    [json({ message: 'no' }, 401), 'E_CONNECT_LOGIN', /connector\.username/],
    [json({ message: 'no' }, 404), 'E_NO_CONNECTOR', /has no connector c/],
    [
      json({ message: 'bad password=hunter2' }, 500),
      'E_CONNECT_FAILED',
      /\(500\): bad password=\[redacted\]$/,
    ],
    [{ status: 200, text: '<html>' }, 'E_CONNECT_FAILED', /no Kafka Connect: it sends no JSON/],
  ])('tells %o', async (reply, code, message) => {
    const { connect } = client({ 'http://a:8083/connectors/c/status': [reply] })
    await expect(connect.status('c')).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('names are no paths', async () => {
    const { connect, asked } = client({ 'http://a:8083/connectors/..%2Fx': [json(null)] })
    await connect.delete('../x')
    expect(asked[0]!.method).toBe('DELETE')
  })

  test('tells what Connect finds wrong, and sends a secret without showing it', async () => {
    const found = {
      configs: [
        { value: { name: 'database.hostname', errors: ['cannot be reached'] } },
        { value: { name: 'x', errors: [] } },
      ],
    }
    const { connect, asked } = client({
      'http://a:8083/connector-plugins/PostgresConnector/config/validate': [json(found)],
    })
    const properties = {
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'database.password': new Secret('hidden'),
    }
    expect(await connect.faults('c', properties)).toEqual(['database.hostname: cannot be reached'])
    expect(asked[0]).toMatchObject({
      body: { 'database.password': 'hidden' },
      authorization: 'Basic dTpjYW5hcnk=',
    })
  })

  test('needs an address', () => {
    expect(() => client({}, [])).toThrow(expect.objectContaining({ code: 'E_NO_CONNECT' }))
  })
})

describe('awaitStreaming', () => {
  const wait = (statuses: readonly ConnectorStatus[], isRead: readonly (boolean | null)[]) => {
    const [left, reads] = [[...statuses], [...isRead]]
    const next = <T>(list: T[]) => (list.length > 1 ? list.shift()! : list[0]!)
    const signs = { status: async () => next(left), slotIsRead: async () => next(reads) }
    return awaitStreaming(signs, 30_000, madeUpClock())
  }

  test('RUNNING is not streaming: the slot has to be read', async () => {
    const running = status('RUNNING', 'RUNNING')
    expect(await wait([status('RUNNING', 'UNASSIGNED'), running], [false, false, true])).toEqual({
      kind: 'streams',
    })
    expect(await wait([running], [false])).toEqual({ kind: 'waits', states: ['RUNNING', 'RUNNING'] })
  })

  test('a task that fails ends it with its trace', async () => {
    const statuses = [status('RUNNING', 'RUNNING'), status('RUNNING', 'FAILED', 'no publication')]
    expect(await wait(statuses, [false])).toEqual({
      kind: 'failed',
      who: 'task 0 of c',
      trace: 'no publication',
    })
  })

  test('says less when there is nobody to ask about the slot', async () => {
    expect(await wait([status('RUNNING', 'RUNNING')], [null])).toEqual({ kind: 'runs' })
  })
})
