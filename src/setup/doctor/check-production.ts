import type { ChainFacts } from './chain-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('configuration')

/** What a deployment must have that people rely on; asked for with `--prod`. */
export function* checkProduction(facts: ChainFacts): Found {
  const { deployment, upstream, pipeline } = facts
  if (deployment.profile !== 'prod') {
    yield broken('profile', 'the profile is dev, which only warns of what must not be', 'set `profile: prod`')
  }
  for (const warning of deployment.warnings) {
    yield broken('warning', warning, 'change it as the sentence says; `profile: prod` refuses it')
  }
  for (const { path, isOpenToAll } of deployment.secretFiles) {
    if (isOpenToAll === null)
      yield broken('secret-file', `there is no file ${path}`, 'mount it, or correct the path')
    else if (isOpenToAll)
      yield broken('secret-file', `everybody on this machine may read ${path}`, `run chmod 640 ${path}`)
  }
  if (deployment.lake === 'local') {
    yield risk(
      'local-lake',
      'the lake is a directory of this machine',
      'put it on an object store, or back the directory up',
    )
  }
  if (deployment.lake === 's3' && !deployment.storeIsEncrypted) {
    yield risk(
      'encryption',
      'nothing asks the store to encrypt what we write',
      "set `store.encryption`, or make sure of the bucket's own default",
    )
  }
  if (pipeline.source.kind === 'files') {
    yield broken('file-source', 'the pipeline reads recorded files', 'name a broker in `source.kafka`')
  }
  if (
    pipeline.source.kind === 'kafka' &&
    pipeline.source.ssl !== null &&
    pipeline.source.sasl === null &&
    pipeline.source.ssl.cert === undefined
  ) {
    yield risk('no-kafka-login', 'the brokers let anybody in', 'set `sasl`, or `ssl.cert` and `ssl.key`')
  }
  for (const check of ['row-count', 'checksum']) {
    if (deployment.schedule.includes(check)) continue
    yield risk(
      'no-proof',
      `nothing holds the lake against the source by ${check}`,
      `set \`dq.schedule.${check}\``,
    )
  }
  if (upstream.postgres.connection === null) {
    yield risk(
      'no-database',
      'no database is named, so that it is neither watched nor compared',
      'set POSTGRES_CONNECTION_STRING (or _FILE)',
    )
  }
  yield* partsInProduction(facts)
}

function* partsInProduction({ source, topics }: ChainFacts): Found {
  if (source.kind === 'known') {
    const { login, readiness } = source.value
    if (!login.isEncrypted) {
      yield broken(
        'database-in-clear',
        'the connection to the database is not encrypted',
        'add sslmode=verify-full to its URL',
      )
    }
    if (login.isSuperuser) {
      yield broken(
        'superuser-here',
        `we log in to the database as ${login.name}, a superuser`,
        'log in as the role that `alluvium setup postgres` makes for the proof',
      )
    }
    if (readiness.slotKeepMegabytes < 0) {
      yield broken(
        'unbounded-slot',
        'max_slot_wal_keep_size is -1: the log can fill the disk',
        "run ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf();",
      )
    }
  }
  if (topics.kind === 'known') {
    const single = topics.value.topics.filter(({ replicas }) => replicas < 2)
    if (single.length > 0) {
      yield broken(
        'replication',
        `${single.map(({ name }) => name).join(', ')} are kept by one broker alone`,
        'run three brokers, and give topics three replicas (`connector.replication: 3`, kafka-reassign-partitions)',
      )
    }
    const loose = topics.value.topics.filter(
      ({ replicas, minInSyncReplicas }) => replicas >= 3 && (minInSyncReplicas ?? 1) < 2,
    )
    if (loose.length > 0) {
      yield risk(
        'min-insync',
        `${loose.map(({ name }) => name).join(', ')} take records that one broker alone has`,
        'set min.insync.replicas=2',
      )
    }
  }
}
