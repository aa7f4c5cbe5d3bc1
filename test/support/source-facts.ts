import type { SourceFacts, TableFact } from '../../src/setup/source-facts.ts'

/** A table with a key, which both roles may read. */
export const TABLE: TableFact = {
  key: ['id'],
  isKeyDeferrable: false,
  replicaIdentity: 'default',
  isPartitioned: false,
  readableBy: ['cdc_repl', 'cdc_dq'],
  schemaOpenTo: ['cdc_repl', 'cdc_dq'],
}

/** A database that a connector reads, with nothing amiss: publication and slot `alluvium`, table `public.orders`. */
export function soundSource(): SourceFacts {
  return {
    readiness: {
      isReady: true,
      walLevel: 'logical',
      serverVersion: 150_004,
      serverEncoding: 'UTF8',
      slotsUsed: 1,
      slotsMax: 10,
      walSendersMax: 10,
      mayReplicate: true,
      slotKeepMegabytes: 51_200,
      isStandby: false,
      slots: [],
      publications: ['alluvium'],
      problems: [],
    },
    login: {
      name: 'cdc_dq',
      database: 'shop',
      isSuperuser: false,
      mayCreateRoles: true,
      isEncrypted: true,
    },
    server: { pendingRestart: [], walSendersUsed: 1, walBytesPerSecond: 1_000_000, nowMs: 1_800_000_000_000 },
    tables: new Map([
      ['public.orders', TABLE],
      ['alluvium.heartbeat', TABLE],
    ]),
    publication: {
      isForAllTables: false,
      tables: new Map([
        ['public.orders', null],
        ['alluvium.heartbeat', null],
      ]),
      operations: ['insert', 'update', 'delete', 'truncate'],
      isViaRoot: true,
    },
    slots: [
      {
        name: 'alluvium',
        plugin: 'pgoutput',
        database: 'shop',
        isActive: true,
        walStatus: 'reserved',
        retainedBytes: 10_000_000,
        safeBytes: 50_000_000_000,
        spilledBytes: 0,
        inactiveSinceMs: null,
      },
    ],
    roles: new Map([
      ['cdc_repl', { mayLogIn: true, mayReplicate: true, isSuperuser: false }],
      ['cdc_dq', { mayLogIn: true, mayReplicate: false, isSuperuser: false }],
    ]),
  }
}
