import { readFileSync, writeFileSync } from 'node:fs'
import type { DayFigures } from './ceilings.ts'

/** `draw-month FIGURES.json PICTURE.svg`: what grows by day, a small picture each, in one file. */

interface Series {
  readonly name: string
  readonly unit: string
  readonly of: (figures: DayFigures) => number
}

const SERIES: readonly Series[] = [
  { name: 'live files', unit: '', of: ({ liveFiles }) => liveFiles },
  { name: 'deleted rows', unit: '%', of: ({ deletedShare }) => 100 * deletedShare },
  { name: 'removed files remembered', unit: '', of: ({ tombstones }) => tombstones },
  { name: 'deletion vectors, live', unit: 'KB', of: ({ vectorBytes }) => vectorBytes / 1e3 },
  { name: 'files in the store', unit: '', of: ({ fileObjects }) => fileObjects },
  { name: 'their size', unit: 'MB', of: ({ fileBytes }) => fileBytes / 1e6 },
  { name: 'log, all of it', unit: 'MB', of: ({ logBytes }) => logBytes / 1e6 },
  { name: 'log, read to open', unit: 'MB', of: ({ openBytes }) => openBytes / 1e6 },
  { name: 'CPU time to open', unit: 'ms', of: ({ openMs }) => openMs },
  { name: 'puts and lists a day', unit: '', of: ({ requests }) => requests.writes },
  { name: 'written a day', unit: 'MB', of: ({ writtenBytes }) => writtenBytes / 1e6 },
  { name: 'heap', unit: 'MB', of: ({ heapMb }) => heapMb },
]

const COLUMNS = 4
const WIDTH = 220
const HEIGHT = 130
const PLOT = { left: 8, top: 34, width: 204, height: 78 } as const

export function drawMonth(days: readonly DayFigures[]): string {
  const rows = Math.ceil(SERIES.length / COLUMNS)
  const size = `width="${COLUMNS * WIDTH}" height="${rows * HEIGHT}"`
  const pictures = SERIES.map((series, i) => {
    const at = `translate(${(i % COLUMNS) * WIDTH} ${Math.floor(i / COLUMNS) * HEIGHT})`
    return `<g transform="${at}">${pictureOf(series, days)}</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">`,
    '<title>A busy table, day by day</title>',
    '<rect width="100%" height="100%" fill="white"/>',
    ...pictures,
    '</svg>',
    '',
  ].join('\n')
}

function pictureOf({ name, unit, of }: Series, days: readonly DayFigures[]): string {
  const values = days.map(of)
  const top = Math.max(...values, 1e-9)
  const x = (i: number) => PLOT.left + (PLOT.width * i) / Math.max(1, values.length - 1)
  const y = (value: number) => PLOT.top + PLOT.height * (1 - value / (1.1 * top))
  const points = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  const floor = PLOT.top + PLOT.height
  return [
    `<text x="${PLOT.left}" y="16" font-weight="bold">${name}</text>`,
    `<text x="${PLOT.left}" y="29" fill="#666">up to ${textOf(top)} ${unit}</text>`,
    `<line x1="${PLOT.left}" y1="${floor}" x2="${PLOT.left + PLOT.width}" y2="${floor}" stroke="#999"/>`,
    `<polyline points="${points}" fill="none" stroke="#1665b0" stroke-width="1.5"/>`,
    `<text x="${PLOT.left}" y="${floor + 12}" fill="#666">day 1</text>`,
    `<text x="${PLOT.left + PLOT.width}" y="${floor + 12}" fill="#666" text-anchor="end">${days.length}</text>`,
  ].join('')
}

function textOf(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)
}

const [, , from, to] = process.argv
if (from !== undefined && to !== undefined) {
  writeFileSync(to, drawMonth(JSON.parse(readFileSync(from, 'utf8')) as DayFigures[]))
}
