import type { Frame } from './flame-tree.ts'

const WIDTH = 1200
const ROW = 17
/** Narrower frames are left out: nobody could point at them. */
const NARROWEST = 1.5
const LETTER = 6.2

/** By where the code is. */
const COLORS: readonly (readonly [start: string, color: string])[] = [
  ['schemas/', '#7fb4e0'],
  ['writers/parquet', '#e8b04a'],
  ['writers/locator', '#b99ae0'],
  ['writers/delta', '#8fcf8a'],
  ['writers/', '#e89a6a'],
  ['src/', '#9fb8a8'],
  ['node:', '#c9c9c9'],
]

/** A flame graph that needs no script: callers below, callees above, the width is time; titles tell the rest. */
export function flameSvg(root: Frame, title: string): string {
  const rects: string[] = []
  const perUs = WIDTH / root.totalUs
  let depthMax = 0
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = frame.totalUs * perUs
    if (width < NARROWEST) return
    depthMax = Math.max(depthMax, depth)
    rects.push(rect(frame, x, depth, width, root.totalUs))
    let at = x
    for (const child of [...frame.children.values()].sort((a, b) => b.totalUs - a.totalUs)) {
      draw(child, at, depth + 1)
      at += child.totalUs * perUs
    }
  }
  draw(root, 0, 0)
  const height = (depthMax + 1) * ROW + 30
  const flipped = rects.map((each) =>
    each.replace(/@(\d+)/g, (_, depth: string) => yOf(Number(depth), height)),
  )
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">` +
    `<title>${escaped(title)}</title><rect width="${WIDTH}" height="${height}" fill="#fff"/><text x="6" y="16">${escaped(title)}</text>` +
    `${flipped.join('')}</svg>\n`
  )
}

function yOf(depth: number, height: number): string {
  return String(height - (depth + 1) * ROW)
}

function rect(
  { name, file, totalUs }: Frame,
  x: number,
  depth: number,
  width: number,
  allUs: number,
): string {
  const color = COLORS.find(([start]) => file.startsWith(start))?.[1] ?? '#e0d5c5'
  const share = ((totalUs / allUs) * 100).toFixed(1)
  const letters = Math.floor((width - 4) / LETTER)
  const label = letters < 3 ? '' : name.length <= letters ? name : `${name.slice(0, letters - 1)}…`
  const text = label === '' ? '' : `<text x="2" y="12">${escaped(label)}</text>`
  const box = `<rect width="${(width - 0.4).toFixed(1)}" height="${ROW - 1}" fill="${color}"/>`
  const title = `<title>${escaped(`${name} ${file} ${share} %`)}</title>`
  return `<g transform="translate(${x.toFixed(1)} @${depth})">${title}${box}${text}</g>`
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}
