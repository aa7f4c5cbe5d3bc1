import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonScanner } from '../../schemas/decode/json-scanner.ts'
import { JSON_OBJECT } from '../../schemas/decode/json-tape.ts'

/** A text's structure: `null` stands for a value that is no container. */
type Structure = null | readonly (readonly [name: string, structure: Structure])[]

const names = fc.oneof(fc.constantFrom('id', 'a', 'before', 'é', 'q"', ''), fc.string({ maxLength: 6 }))
const { structure } = fc.letrec<{ structure: Structure }>((tie) => ({
  structure: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'structure' },
    fc.constant(null),
    fc.uniqueArray(fc.tuple(names, tie('structure')), { maxLength: 4, selector: ([name]) => name }),
  ),
}))
const scalars = fc.oneof(
  fc.constantFrom('null', 'true', '7', '"text"'),
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-1.5e3',
    '""',
    '"é"',
    '"\\u00e9\\n"',
    '[]',
    '[1,{"a":2}]',
    '{}',
  ),
  fc.integer().map(String),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)),
)

function textOf(structure: Structure, values: Iterator<string>, blank: string): string {
  if (structure === null) return values.next().value
  const members = structure.map(
    ([name, inner]) => `${JSON.stringify(name)}:${blank}${textOf(inner, values, blank)}`,
  )
  return `{${blank}${members.join(`,${blank}`)}}`
}

/** Texts of few structures, some of them damaged in one place. */
const texts = fc
  .tuple(
    fc.array(structure, { minLength: 1, maxLength: 4 }),
    fc.infiniteStream(scalars),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('', '', '', ' '),
        fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }),
      ),
      {
        minLength: 1,
        maxLength: 40,
      },
    ),
  )
  .map(([structures, values, picks]) =>
    picks.map(([pick, blank, damage]) => {
      const bytes = Buffer.from(textOf(structures[pick % structures.length]!, values, blank))
      if (damage !== null && bytes.length > 0) bytes[damage[0] % bytes.length] = damage[1]
      return bytes
    }),
  )

/** All that the tape tells. */
function tokensOf(json: JsonScanner): unknown[] {
  const end = json.next(0)
  return Array.from({ length: end }, (_, token) => {
    const told = [json.kind(token), json.start(token), json.end(token), json.next(token)]
    return json.kind(token) === JSON_OBJECT ? told : [...told, json.text(token)]
  })
}

function nameHashesOf(json: JsonScanner): number[] {
  const hashes: number[] = []
  for (let token = 0; token < json.next(0); token++) {
    if (json.kind(token) !== JSON_OBJECT) continue
    for (let at = token + 1; at < json.next(token); at = json.next(at + 1)) hashes.push(json.nameHash(at))
  }
  return hashes
}

/** @returns what was found: `null` when both refuse the text for the same fault, else whether a structure was known */
function scanBoth(practised: JsonScanner, bytes: Buffer, isLastMember: boolean): boolean | null {
  const fresh = new JsonScanner()
  const prefix = '{"schema":{},"payload":'
  const text = isLastMember ? Buffer.concat([Buffer.from(prefix), bytes, Buffer.from('}')]) : bytes
  const scan = (json: JsonScanner) =>
    isLastMember ? json.scanLastMember(text, prefix.length) : json.scan(text)
  const fault = scan(practised)
  expect(fault).toBe(scan(fresh))
  if (fault !== null) return null
  expect(tokensOf(practised)).toEqual(tokensOf(fresh))
  expect(nameHashesOf(practised)).toEqual(nameHashesOf(fresh))
  return practised.skeleton !== null
}

test('a scanner that knows many texts makes of the next one what a new scanner makes of it', () => {
  const found = { along: 0, refused: 0 }
  fc.assert(
    fc.property(texts, fc.boolean(), (list, isLastMember) => {
      const practised = new JsonScanner()
      for (const bytes of list) {
        const isKnown = scanBoth(practised, bytes, isLastMember)
        if (isKnown === null) found.refused++
        if (isKnown === true) found.along++
      }
    }),
    { numRuns: 600 },
  )
  expect(found.along).toBeGreaterThan(300)
  expect(found.refused).toBeGreaterThan(100)
})

test('values that were always the same may change at any time, and their texts may be damaged', () => {
  let alike = 0
  fc.assert(
    fc.property(
      structure,
      fc.array(scalars, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat(11), scalars, fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 1 })), {
        minLength: 1,
        maxLength: 12,
      }),
      fc.boolean(),
      (of, usual, changes, isLastMember) => {
        const practised = new JsonScanner()
        const textWith = (values: readonly string[]) => {
          const endless = (function* () {
            for (;;) yield* values
          })()
          return Buffer.from(textOf(of, endless, ''))
        }
        const learn = textWith(usual)
        for (let i = 0; i < 70; i++) scanBoth(practised, learn, isLastMember)
        if (practised.skeleton !== null && practised.skeleton.alike.size > 0) alike++
        for (const [at, value, damage] of changes) {
          const bytes = textWith(usual.map((each, i) => (i === at ? value : each)))
          if (damage !== null) bytes[damage[0] % bytes.length] = damage[1]
          scanBoth(practised, bytes, isLastMember)
        }
      },
    ),
    { numRuns: 30 },
  )
  expect(alike).toBeGreaterThan(10)
})

test('a value that is always the same is taken for structure, until it changes', () => {
  const json = new JsonScanner()
  const scan = (id: number, table: string) => {
    expect(json.scan(Buffer.from(`{"id":${id},"table":"${table}"}`))).toBeNull()
    return [json.text(2), json.text(4), json.skeleton?.alike.size ?? null]
  }
  for (let id = 0; id < 100; id++) scan(id, 'orders')
  expect(scan(100, 'orders')).toEqual(['100', 'orders', 1])
  expect(scan(101, 'items')).toEqual(['101', 'items', 0])
  for (let id = 0; id < 600; id++) scan(id, 'items')
  expect(scan(601, 'items')).toEqual(['601', 'items', 1])
})

test('a large value is not kept, though it is always the same', () => {
  const json = new JsonScanner()
  for (let id = 0; id < 100; id++) {
    expect(json.scan(Buffer.from(`{"id":${id},"table":"orders","note":"${'x'.repeat(300)}"}`))).toBeNull()
  }
  expect([...json.skeleton!.alike].map((token) => json.text(token))).toEqual(['orders'])
})

test('texts that never come again are not remembered at the cost of those that do', () => {
  const json = new JsonScanner()
  let along = 0
  for (let i = 0; i < 4000; i++) {
    expect(json.scan(Buffer.from(`{"once${i}":1}`))).toBeNull()
    if (i % 4 === 0) expect(json.scan(Buffer.from(`{"always":${i}}`))).toBeNull()
    if (json.skeleton !== null) along++
  }
  expect(along).toBeGreaterThan(900)
})
