import { describe, expect, test } from 'vitest'
import { flameSvg } from '../../../bench/flame/flame-svg.ts'
import { flameTree, selfTimes } from '../../../bench/flame/flame-tree.ts'

function call(id: number, functionName: string, children: readonly number[] = []) {
  const url = `file:///somewhere/.bench/js/writers/${functionName}.js`
  return { id, callFrame: { functionName, url, lineNumber: 0 }, children }
}

const PROFILE = {
  nodes: [
    call(1, '(root)', [2, 3, 5]),
    call(2, '(idle)'),
    call(3, 'flush', [4]),
    call(4, 'encode'),
    call(5, 'flush', [6]),
    call(6, 'encode'),
  ],
  samples: [2, 3, 4, 6],
  timeDeltas: [900, 100, 200, 300],
}

describe('a flame graph', () => {
  test('merges calls that came the same way, and leaves idle time out', () => {
    const root = flameTree(PROFILE)
    expect(root.totalUs).toBe(600)
    const [flush] = root.children.values()
    expect(flush).toMatchObject({ name: 'flush', file: 'writers/flush.ts', selfUs: 100, totalUs: 600 })
    expect([...flush!.children.values()].map(({ totalUs }) => totalUs)).toEqual([500])
  })

  test('names the greatest self times first', () => {
    expect(selfTimes(flameTree(PROFILE)).map(({ name, us }) => [name, us])).toEqual([
      ['encode', 500],
      ['flush', 100],
      ['all', 0],
    ])
  })

  test('is a picture without scripts, and names are escaped', () => {
    const svg = flameSvg(flameTree(PROFILE), 'a < b')
    expect(svg).toContain('a &lt; b')
    expect(svg).toContain('encode writers/encode.ts 83.3 %')
    expect(svg).not.toContain('<script')
  })
})
