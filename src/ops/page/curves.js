import { bytes, count, duration } from './format.js'
import uPlot from './uplot.js'

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

const clock = (seconds) => CLOCK.format(seconds * 1000)

/** Below it a curve looks flat, as it is; also the least that makes whole steps on its axis. */
const LEAST = { events: 4, lags: 1, held: 4000 }
const TEXT = { events: count, lags: duration, held: bytes }

/** Draws one curve of a pipeline and keeps it up to date. */
export class Curve {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place
    const colours = getComputedStyle(document.documentElement)
    const colour = (name) => () => colours.getPropertyValue(name)
    const text = TEXT[place.dataset.curve]
    const axis = { stroke: colour('--quiet'), ticks: { show: false }, font: '11px system-ui' }
    const options = {
      width: place.clientWidth,
      height: place.clientHeight,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, LEAST[place.dataset.curve])] } },
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: 70, values: (_, splits) => splits.map(clock) },
        {
          ...axis,
          grid: { stroke: colour('--line'), width: 1 },
          size: 58,
          space: 34,
          values: (_, splits) => splits.map((value) => text(value)),
        },
      ],
      series: [
        {},
        { stroke: colour('--river'), fill: colour('--wash'), width: 1.5, points: { show: false } },
      ],
    }
    this.plot = new uPlot(options, [[], []], place)
    new ResizeObserver(() =>
      this.plot.setSize({ width: place.clientWidth, height: place.clientHeight }),
    ).observe(place)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.plot.redraw())
  }

  /** @param {readonly number[]} times @param {readonly number[]} values */
  show(times, values) {
    this.plot.setData([times, values])
  }
}

/** A curve of a line's height as SVG paths: the line, and the area below it. */
export function sparkPaths(values, width = 110, height = 22) {
  const top = Math.max(...values, 0)
  if (top === 0) return { line: `M0 ${height}H${width}`, area: '' }
  const step = width / Math.max(values.length - 1, 1)
  const points = values.map((value, i) => {
    const y = height - (value / top) * (height - 2)
    return `${(i * step).toFixed(1)} ${y.toFixed(1)}`
  })
  const line = `M${points.join('L')}`
  return { line, area: `${line}L${((values.length - 1) * step).toFixed(1)} ${height}L0 ${height}Z` }
}
