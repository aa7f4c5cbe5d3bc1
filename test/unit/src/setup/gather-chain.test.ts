import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import type { StoreSite } from '../../../../core/store-sites.ts'
import { parseConfig } from '../../../../src/config/parse-config.ts'
import { ConnectClient } from '../../../../src/setup/connect-client.ts'
import { type ChainPorts, gatherChain } from '../../../../src/setup/doctor/gather-chain.ts'
import { groupFacts, type InspectedCluster, topicsFacts } from '../../../../src/setup/doctor/gather-topics.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { countedRandom, HandClock } from '../../../support/test-ports.ts'

const CONFIG = `
lake: ./lake
pipelines:
  shop:
    source: { kafka: { brokers: [127.0.0.1:9092], topics: ["shop.public.*"], sasl: { mechanism: plain, username: u, passwordFile: /s } } }
    postgres: { connection: "\${DSN}" }
    connector: { url: "http://127.0.0.1:8083" }
`
const config = parseConfig(CONFIG, 'alluvium.yaml', (name) =>
  name === 'DSN' ? 'postgres://db/shop' : undefined,
)
const unreachable = (code: string) => new EngineError(code, 'retry', 'no answer')

const CLUSTER: InspectedCluster = {
  brokerCount: 1,
  group: { state: 'Stable', members: 1 },
  groupOffsets: new Map([['shop.public.orders/0', 30n]]),
  topics: [
    {
      name: 'shop.public.orders',
      replicas: 1,
      retentionMs: 1000,
      isCompacted: false,
      isDeleted: true,
      minInSyncReplicas: 1,
      leaderless: [1],
      halfway: new Map([[0, 25n]]),
      ranges: [0, 1].map((partition) => ({
        topic: 'shop.public.orders',
        partition,
        startOffset: 5n,
        endOffset: 40n,
      })),
    },
  ],
}

class RefusingStore extends MemoryStore {
  override async put(_site: StoreSite, _path: string, _bytes: Uint8Array): Promise<void> {
    throw new EngineError('E_STORE_DENIED', 'stop', 'denied')
  }
}

function portsWith(changes: Partial<ChainPorts> = {}): ChainPorts {
  const clock = new HandClock()
  return {
    clock,
    random: countedRandom(),
    openDatabase: () => ({
      location: 'postgres://db/shop',
      query: () => Promise.reject(unreachable('E_POSTGRES_UNREACHABLE')),
      session: () => Promise.reject(unreachable('E_POSTGRES_UNREACHABLE')),
      describeTable: () => Promise.reject(unreachable('E_POSTGRES_UNREACHABLE')),
      close: async () => {},
    }),
    connect: ({ connector }) =>
      new ConnectClient(connector, () => Promise.reject(new TypeError('refused')), clock),
    inspectKafka: async () => CLUSTER,
    openStore: async () => new MemoryStore(),
    probeStore: async () => {},
    whoMayRead: async () => true,
    ...changes,
  }
}

describe('gatherChain', () => {
  test('a part that does not answer costs only what it would have told', async () => {
    const facts = await gatherChain(config, config.pipelines[0]!, portsWith())
    expect(facts.source).toMatchObject({ kind: 'unknown', error: { code: 'E_POSTGRES_UNREACHABLE' } })
    expect(facts.connector).toMatchObject({ kind: 'unknown', error: { code: 'E_CONNECT_UNREACHABLE' } })
    expect(facts.topics).toMatchObject({ kind: 'known', value: { topics: [{ feeds: ['public.orders'] }] } })
    expect(facts.group).toMatchObject({ kind: 'known', value: { isRunning: false, members: 1 } })
    expect(facts.store).toEqual({ kind: 'known', value: { conditionalPut: null, refused: [] } })
    expect(facts.deployment.secretFiles).toEqual([{ path: '/s', isOpenToAll: true }])
  })

  test('leaves nothing in the store', async () => {
    const store = new MemoryStore()
    await gatherChain(config, config.pipelines[0]!, portsWith({ openStore: async () => store }))
    expect(await store.list('lake.list', '')).toEqual([])
  })

  test('a store that refuses is known to refuse, one that is unfit to be unfit', async () => {
    const refusing = await gatherChain(
      config,
      config.pipelines[0]!,
      portsWith({ openStore: async () => new RefusingStore() }),
    )
    expect(refusing.store).toMatchObject({ kind: 'known', value: { refused: ['put'] } })
    const unfit = new EngineError('E_STORE_UNFIT', 'stop', 'ignores If-None-Match')
    const ignoring = await gatherChain(
      config,
      config.pipelines[0]!,
      portsWith({ probeStore: () => Promise.reject(unfit) }),
    )
    expect(ignoring.store).toMatchObject({ kind: 'known', value: { conditionalPut: unfit } })
  })

  test('what nothing names is not asked', async () => {
    const bare = parseConfig(
      'lake: ./lake\npipelines: { p: { source: { files: x } } }\n',
      'a.yaml',
      () => undefined,
    )
    const facts = await gatherChain(bare, bare.pipelines[0]!, portsWith({ connect: () => null }))
    expect([facts.source, facts.connector, facts.topics, facts.group].map(({ kind }) => kind)).toEqual(
      Array(4).fill('unnamed'),
    )
  })
})

describe('what brokers say, held against the lake', () => {
  const checkpoints = {
    mark: new Map([['shop.public.orders/0', 10n]]),
    tables: [
      {
        name: 'public.orders',
        path: 'public/orders',
        nextOffsets: new Map([['shop.public.orders/0', 20n]]),
        epochs: new Map(),
      },
    ],
  }

  test('tells how far the tables are, and that they are behind', () => {
    const [topic] = topicsFacts(CLUSTER, checkpoints, () => ['public.orders']).topics
    expect(topic!.partitions).toEqual([
      { partition: 0, startOffset: 5n, endOffset: 40n, nextOffset: 20n, lagMs: 501, hasLeader: true },
      { partition: 1, startOffset: 5n, endOffset: 40n, nextOffset: null, lagMs: null, hasLeader: false },
    ])
  })

  test('tells where the group is ahead of the tables', () => {
    expect(groupFacts(CLUSTER, checkpoints, true).aheadOf).toEqual(['shop.public.orders/0'])
  })
})
