import { Curve } from './curves.js'
import { ago, bytes, count, duration, rate } from './format.js'
import { TableList } from './table-list.js'

const EVERY_MS = 2000
const COMMITS = ['table', 'version', 'events', 'inserted', 'updated', 'deleted', 'read', 'took', 'ago']

/** One pipeline on the page. */
class PipelineView {
  constructor(name) {
    const copy = document.getElementById('pipeline').content.cloneNode(true)
    this.section = copy.querySelector('section')
    document.getElementById('pipelines').append(copy)
    this.parts = Object.fromEntries(
      [...this.section.querySelectorAll('[data-of]')].map((part) => [part.dataset.of, part]),
    )
    this.parts.name.textContent = name
    this.curves = Object.fromEntries(
      [...this.section.querySelectorAll('.curve')].map((place) => [place.dataset.curve, new Curve(place)]),
    )
    this.tables = new TableList(this.section.querySelector('.tables'), this.section.querySelector('input'))
    this.commits = this.section.querySelector('.commits').tBodies[0]
  }

  show(pipeline) {
    const { health, tables, series, commits } = pipeline
    this.parts.state.textContent = health.state
    this.parts.state.className = `pill is-${health.state}`
    this.parts.reasons.replaceChildren(...reasonsOf(pipeline).map((parts) => line(parts)))
    this.parts.count.textContent = count(tables.length)
    if (series === undefined) return
    this.parts.empty.hidden = tables.length > 0
    this.section.className = tables.length > 0 ? 'pipeline' : 'pipeline is-empty'
    this.parts.events.textContent = rate(series.events.at(-1) ?? 0)
    this.parts.lag.textContent = duration(Math.max(...tables.map(({ lag }) => lag), 0))
    this.parts.held.textContent = bytes(pipeline.heldBytes)
    for (const [name, curve] of Object.entries(this.curves)) curve.show(series.times, series[name])
    this.#showFacts(pipeline)
    this.tables.show(tables, pipeline.atMs)
    this.commits.replaceChildren(...commits.map((commit) => commitRow(commit, pipeline.atMs)))
  }

  #showFacts({ records, tally, behind, heartbeatMs, slots, startedMs, atMs }) {
    const facts = [
      ['records read', count(records)],
      ['still to read', behind === null ? '–' : count(behind)],
      ['dead letters', count(tally.deadLetters), tally.deadLetters > 0 ? 'is-degraded' : ''],
      ['parked', count(tally.parked), tally.parked > 0 ? 'is-degraded' : ''],
      ['running for', duration((atMs - startedMs) / 1000)],
      ...(heartbeatMs === null ? [] : [['heartbeat', ago((atMs - heartbeatMs) / 1000)]]),
      ...slots.map((slot) => [
        `slot ${slot.name}`,
        slot.isLost ? 'lost' : `${slot.isActive ? '' : 'inactive, '}${bytes(slot.retainedBytes)}`,
        slot.isLost ? 'is-lost' : slot.isActive ? '' : 'is-degraded',
      ]),
    ]
    const lines = facts.flatMap(([name, value, className = '']) => {
      const shown = element('dd', value)
      shown.className = className
      return [element('dt', name), shown]
    })
    this.parts.facts.replaceChildren(...lines)
  }
}

function commitRow({ table, version, events, rows, sizeBytes, durationMs, at }, now) {
  const values = {
    ...{ table, version: count(version), events: count(events), read: bytes(sizeBytes) },
    ...{ inserted: count(rows.inserted), updated: count(rows.updated), deleted: count(rows.deleted) },
    ...{ took: duration(durationMs / 1000), ago: ago(Math.max(now - at - durationMs, 0) / 1000) },
  }
  const row = document.createElement('tr')
  for (const column of COMMITS) {
    const cell = row.insertCell()
    cell.textContent = values[column]
    cell.className = column === 'table' ? 'name' : 'number'
  }
  return row
}

/** Stopped tables that are told with their cure; the others stand at the top of the list. */
const TOLD_MAX = 3

/** What is not well, and what to do about it: texts, with commands as arrays. */
function reasonsOf({ health, tables, tally }) {
  const stopped = tables.filter(({ stopped }) => stopped !== null)
  const told = stopped.slice(0, TOLD_MAX)
  const isTold = (reason) =>
    told.some(({ name, stopped }) => reason === `table ${name} stopped (${stopped.code})`)
  const cures = told.map(({ name, stopped }) => [
    `${name} stands: ${stopped.message}. When the cause is gone: `,
    [`alluvium table resume ${name}`],
  ])
  const letters = tally?.deadLetters > 0 ? [['Dead letters, and why: ', ['alluvium dlq list']]] : []
  return [
    ...cures,
    ...health.reasons.filter((reason) => !isTold(reason)).map((reason) => [reason]),
    ...letters,
  ]
}

function line(parts) {
  const made = document.createElement('li')
  made.append(...parts.map((part) => (Array.isArray(part) ? element('code', part[0]) : part)))
  return made
}

/** In the tab of a browser that shows another page: what is not well. */
function titleOf(pipelines) {
  const unwell = pipelines.filter(({ health }) => health.state !== 'running')
  return unwell.length === 0
    ? 'alluvium'
    : `${unwell.map(({ health }) => health.state).join(', ')} · alluvium`
}

function element(name, text) {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

const views = new Map()
let answeredMs = Date.now()

async function look() {
  const answer = document.getElementById('answer')
  try {
    const response = await fetch('/api/status', { signal: AbortSignal.timeout(10_000) })
    const { lake, version, pipelines } = await response.json()
    answeredMs = Date.now()
    answer.textContent = ''
    document.title = titleOf(pipelines)
    document.getElementById('lake').textContent = lake
    document.getElementById('version').textContent = version
    for (const pipeline of pipelines) {
      if (!views.has(pipeline.name)) views.set(pipeline.name, new PipelineView(pipeline.name))
      views.get(pipeline.name).show(pipeline)
    }
  } catch {
    answer.className = 'is-stopped'
    answer.textContent = `no answer for ${duration((Date.now() - answeredMs) / 1000)}`
  }
  setTimeout(look, document.hidden ? EVERY_MS * 5 : EVERY_MS)
}

look()
