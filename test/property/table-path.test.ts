import { posix } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodePathPart, tablePath } from '../../schemas/table-path.ts'

/** Names as people and attackers write them: plain, any UTF-16 at all, and bits that mean something in a path. */
const names = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 8,
  }),
  fc
    .array(fc.constantFrom('.', '..', '/', '\\', '_', '~', '%', '2F', '~2F', 'a', '\0', 'é'), {
      maxLength: 6,
    })
    .map((bits) => bits.join('')),
  fc.constantFrom('_delta_log', '..', '.', '', 'CON', 's3://x', '%2e%2e'),
)

test('100,000 names: each has a path of its own, inside the root, never hidden', () => {
  const nameOf = new Map<string, string>()
  for (const name of fc.sample(names, { numRuns: 100_000, seed: 7 })) {
    const part = encodePathPart(name)
    const other = nameOf.get(part)
    if (other !== undefined && other !== name) expect([other, name]).toBe(`two names of ${part}`)
    nameOf.set(part, name)
    if (!/^(?!_|\.)[A-Za-z0-9_.~-]+$/.test(part) || part.includes('..')) expect(name).toBe(`unfit ${part}`)
  }
  expect(nameOf.size).toBeGreaterThan(10_000)
})

test('a path never leaves the lake, and tells schema from table', () => {
  fc.assert(
    fc.property(names, names, (schema, table) => {
      const path = tablePath('{schema}/{table}', { sourceName: 's', database: 'd', schema, table })
      expect(posix.join('/lake', path)).toBe(`/lake/${path}`)
      expect(path.split('/')).toEqual([encodePathPart(schema), encodePathPart(table)])
    }),
  )
})
