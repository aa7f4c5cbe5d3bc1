import { sparkPaths } from './curves.js'
import { ago, bytes, count, duration, percent, rate } from './format.js'

const STATES = ['stopped', 'catching-up', 'paused', 'streaming']
const SVG = 'http://www.w3.org/2000/svg'

const sum = (numbers) => Object.values(numbers).reduce((total, each) => total + each, 0)
const share = ({ growth }) =>
  growth === null || growth.storedRows === 0 ? 0 : growth.deletedRows / growth.storedRows

/** The check that says most. */
const checkText = ({ proofs }) =>
  (proofs.find(({ check }) => check === 'checksum') ?? proofs.find(({ check }) => check === 'row-count'))
    ?.verdict ?? '–'

/** Title, what is sorted by, what is shown; numbers stand to the right. */
const COLUMNS = [
  { title: 'table', by: (t) => `${STATES.indexOf(t.state)} ${t.name}`, isName: true },
  { title: 'events/s', by: (t) => t.curve.at(-1) ?? 0, text: (t) => rate(t.curve.at(-1) ?? 0) },
  { title: 'ten minutes', isCurve: true },
  { title: 'events', by: (t) => t.events, text: (t) => count(t.events) },
  { title: 'lag', by: (t) => t.lag, text: (t) => duration(t.lag) },
  {
    title: 'newest',
    by: (t) => t.durableMs ?? 0,
    text: (t, now) => (t.durableMs === null ? '–' : ago(Math.max(now - t.durableMs, 0) / 1000)),
  },
  { title: 'dead letters', by: (t) => sum(t.letters), text: (t) => count(sum(t.letters)) },
  { title: 'checked', by: checkText, text: checkText },
  {
    title: 'rows',
    by: (t) => t.growth?.storedRows ?? -1,
    text: ({ growth }) => count(growth && growth.storedRows - growth.deletedRows),
  },
  {
    title: 'size',
    by: (t) => t.growth?.sizeBytes ?? -1,
    text: ({ growth }) => bytes(growth?.sizeBytes ?? null),
  },
  { title: 'files', by: (t) => t.growth?.files ?? -1, text: ({ growth }) => count(growth?.files ?? null) },
  { title: 'deleted', by: share, text: (t) => percent(share(t)), isShare: true },
  { title: 'version', by: (t) => t.version ?? -1, text: (t) => count(t.version) },
  {
    title: 'tombstones',
    by: (t) => t.growth?.tombstones ?? -1,
    text: ({ growth }) => count(growth?.tombstones ?? null),
  },
  { title: 'log', by: (t) => t.logBytes, text: (t) => bytes(t.logBytes) },
]

/** Records that the topic keeps for a table that does not take them. */
function waiting({ parked }) {
  return parked === 0 ? '' : ` · ${count(parked)} wait`
}

/** The tables of a pipeline: rows are kept from one look to the next, and only what changed is written. */
export class TableList {
  /** @param {HTMLTableElement} table @param {HTMLInputElement} filter */
  constructor(table, filter) {
    this.body = table.tBodies[0]
    this.rows = new Map()
    this.sorted = { column: COLUMNS[0], isDown: false }
    this.tables = []
    this.filter = filter
    this.head = table.tHead.appendChild(document.createElement('tr'))
    for (const column of COLUMNS) this.head.append(this.#heading(column))
    filter.addEventListener('input', () => this.#arrange())
  }

  show(tables, now) {
    this.tables = tables
    for (const table of tables) this.#write(table, now)
    this.#arrange()
  }

  #heading(column) {
    const heading = document.createElement('th')
    heading.className = column.isName || column.isCurve ? '' : 'number'
    if (column.by === undefined) heading.textContent = column.title
    else {
      const button = heading.appendChild(document.createElement('button'))
      button.textContent = column.title
      button.addEventListener('click', () => this.#sort(column))
    }
    return heading
  }

  #sort(column) {
    const isSame = this.sorted.column === column
    this.sorted = { column, isDown: isSame ? !this.sorted.isDown : !column.isName }
    this.#arrange()
  }

  #arrange() {
    const { column, isDown } = this.sorted
    const wanted = this.filter.value.trim().toLowerCase()
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
    const shown = this.tables
      .filter(({ name }) => name.toLowerCase().includes(wanted))
      .sort((a, b) => compare(column.by(a), column.by(b)) * (isDown ? -1 : 1) || compare(a.name, b.name))
    const rows = shown.map(({ name }) => this.rows.get(name).row)
    const isSame = rows.length === this.body.rows.length && rows.every((row, i) => this.body.rows[i] === row)
    if (!isSame) this.body.replaceChildren(...rows)
    COLUMNS.forEach((each, i) => {
      const heading = this.head.cells[i]
      if (each === column) heading.setAttribute('aria-sort', isDown ? 'descending' : 'ascending')
      else heading.removeAttribute('aria-sort')
    })
  }

  #write(table, now) {
    const known = this.rows.get(table.name) ?? this.#newRow(table.name)
    known.row.className = `is-${table.state}`
    known.row.title = table.stopped?.message ?? ''
    COLUMNS.forEach((column, i) => {
      const cell = known.row.cells[i]
      if (column.isCurve) drawSpark(cell.firstChild, table.curve)
      if (column.text === undefined) return
      const text = column.text(table, now)
      if (known.texts[i] === text) return
      known.texts[i] = text
      if (!column.isShare) cell.textContent = text
      else {
        cell.lastChild.textContent = text
        cell.firstChild.style.setProperty('--of', `${share(table) * 100}%`)
      }
    })
    known.state.data =
      table.state === 'streaming' ? '' : `  ${table.stopped?.code ?? table.state}${waiting(table)}`
  }

  #newRow(name) {
    const row = document.createElement('tr')
    const known = { row, texts: [], state: document.createTextNode('') }
    for (const column of COLUMNS) {
      const cell = row.insertCell()
      if (column.isName) {
        const dot = document.createElement('span')
        dot.className = 'dot'
        const label = document.createElement('span')
        label.className = 'label'
        label.textContent = name
        cell.append(dot, label, known.state)
        cell.className = 'name'
      } else if (column.isCurve) {
        const svg = cell.appendChild(document.createElementNS(SVG, 'svg'))
        svg.setAttribute('class', 'spark')
        for (const part of ['area', 'line']) {
          svg.appendChild(document.createElementNS(SVG, 'path')).setAttribute('class', part)
        }
      } else {
        cell.className = 'number'
        cell.style.color = 'var(--ink)'
        if (column.isShare) {
          const bar = cell.appendChild(document.createElement('span'))
          bar.className = 'share'
          cell.appendChild(document.createElement('span')).className = 'percent'
        }
      }
    }
    this.rows.set(name, known)
    return known
  }
}

function drawSpark(svg, values) {
  const { area, line } = sparkPaths(values)
  svg.firstChild.setAttribute('d', area)
  svg.lastChild.setAttribute('d', line)
}
