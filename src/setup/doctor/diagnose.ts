import type { EngineError } from '../../../core/errors.ts'
import { isAllRunning } from '../await-streaming.ts'
import { capturedTables } from '../captured-tables.ts'
import type { SourceFacts } from '../source-facts.ts'
import type { ChainFacts, ConnectorFacts } from './chain-facts.ts'
import { checkClock } from './check-clock.ts'
import { checkConnector } from './check-connector.ts'
import { checkGroup } from './check-group.ts'
import { checkProduction } from './check-production.ts'
import { checkPublication } from './check-publication.ts'
import { checkRights } from './check-rights.ts'
import { checkServer } from './check-server.ts'
import { checkSlot } from './check-slot.ts'
import { checkStore } from './check-store.ts'
import { checkTables } from './check-tables.ts'
import { checkTopics } from './check-topics.ts'
import { type Finding, findingsOf, type Gathered, HOPS, type Hop } from './finding.ts'
import { whySkipped } from './why-skipped.ts'

/** How one hop was found. */
export interface HopReport {
  readonly hop: Hop
  readonly state: 'ok' | 'risk' | 'broken' | 'unknown' | 'skipped'
  /** Why it was not looked at; `null`: it was. */
  readonly skipped: string | null
  readonly findings: readonly Finding[]
}

export interface Diagnosis {
  /** In the way of the data. */
  readonly hops: readonly HopReport[]
  /** The first that is broken: its cure comes before all others. */
  readonly firstBroken: Finding | null
}

export interface DiagnosisOptions {
  /** Also the checklist of production. */
  readonly production: boolean
  /** Where the lake is, for messages. */
  readonly lake: string
}

/** Walks the chain from the source to the tables, and names what is wrong with each hop. */
export function diagnose(facts: ChainFacts, options: DiagnosisOptions): Diagnosis {
  const findings = [...findAll(facts, options)]
  const looked = hopsLookedAt(facts)
  const hops = HOPS.map((hop): HopReport => {
    const own = findings.filter((finding) => finding.hop === hop)
    const state = stateOf(own, looked.has(hop))
    return { hop, state, skipped: state === 'skipped' ? whySkipped(hop, facts) : null, findings: own }
  })
  const firstBroken = hops.flatMap((report) => report.findings).find(({ severity }) => severity === 'broken')
  return { hops, firstBroken: firstBroken ?? null }
}

function* findAll(facts: ChainFacts, { production, lake }: DiagnosisOptions): Generator<Finding> {
  const { pipeline, upstream, source, connector, topics, group, store, tables } = facts
  if (production) yield* checkProduction(facts)
  const known = source.kind === 'known' ? source.value : null
  if (known !== null) yield* checkSource(known, facts)
  else yield* notToBeHad('server', source)
  if (connector.kind === 'known')
    yield* checkConnector(connector.value, upstream, pipeline, capturedOf(facts, known))
  else yield* notToBeHad('connector', connector)
  if (topics.kind === 'known') yield* checkTopics(topics.value, pipeline, known)
  else yield* notToBeHad('topics', topics)
  if (group.kind === 'known') yield* checkGroup(group.value, groupIdOf(facts))
  else yield* notToBeHad('group', group)
  if (store.kind === 'known') yield* checkStore(store.value, lake)
  else yield* notToBeHad('store', store)
  if (tables.kind === 'known') yield* checkTables(tables.value, pipeline, known)
  else yield* notToBeHad('tables', tables)
}

function* checkSource(source: SourceFacts, facts: ChainFacts): Generator<Finding> {
  const { upstream, pipeline, connector, nowMs } = facts
  const { postgres } = upstream
  const captured = capturedOf(facts, source)
  const contracted = [...pipeline.tables.values()].filter(({ skip }) => skip !== true).map(({ name }) => name)
  const user = connector.kind === 'known' ? connector.value.config?.['database.user'] : undefined
  yield* checkServer(source, postgres.slot)
  yield* checkRights(source, postgres, user ?? postgres.role, captured)
  yield* checkPublication(source, postgres, { captured, contracted })
  yield* checkSlot(source, postgres, connector.kind === 'known' && runs(connector.value))
  yield* checkClock(nowMs, source.server.nowMs)
}

function runs({ status }: ConnectorFacts): boolean {
  return status !== null && isAllRunning(status)
}

function capturedOf({ upstream: { postgres } }: ChainFacts, source: SourceFacts | null): readonly string[] {
  const present = [...(source?.tables.keys() ?? [])]
  const { tables, excluded } = capturedTables(postgres, present)
  if (tables !== '*') return tables
  return present.filter((table) => !excluded.includes(table) && table !== postgres.heartbeat)
}

function groupIdOf({ pipeline: { source } }: ChainFacts): string {
  return source.kind === 'kafka' ? source.groupId : ''
}

/** A part that does not answer is broken; one that we may not ask, or that is none of ours, could not be told. */
function* notToBeHad(hop: Hop, gathered: Gathered<unknown>): Generator<Finding> {
  if (gathered.kind !== 'unknown') return
  const { error } = gathered
  const { broken, unknown } = findingsOf(hop)
  const cure = `see ${error.code} in docs/guide/errors.md`
  yield isAnswer(error)
    ? broken(checkName(error), error.message, cure)
    : unknown(checkName(error), error.message, cure)
}

/** Whether the error says that the part itself is not as it should be. */
function isAnswer({ code }: EngineError): boolean {
  return /_(?:UNREACHABLE|LOGIN|DENIED|TLS|FAILED|ADDRESS)$/.test(code)
}

function checkName({ code }: EngineError): string {
  return code.replace(/^E_/, '').toLowerCase().replaceAll('_', '-')
}

/** Hops of which something was learnt, or tried. */
function hopsLookedAt(facts: ChainFacts): ReadonlySet<Hop> {
  const looked = new Set<Hop>(['configuration'])
  if (facts.source.kind === 'known') {
    for (const hop of ['server', 'rights', 'publication', 'slot', 'clock'] as const) looked.add(hop)
  }
  for (const hop of ['connector', 'topics', 'group', 'store', 'tables'] as const) {
    if (facts[hop].kind === 'known') looked.add(hop)
  }
  return looked
}

function stateOf(findings: readonly Finding[], wasLookedAt: boolean): HopReport['state'] {
  const worst = (['broken', 'unknown', 'risk'] as const).find((severity) =>
    findings.some((finding) => finding.severity === severity),
  )
  return worst ?? (wasLookedAt ? 'ok' : 'skipped')
}
