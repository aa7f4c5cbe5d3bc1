import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { editsOf, plant } from './mutant.ts'
import { MUTANTS } from './mutants.ts'

describe('the planted bugs', () => {
  test('are as many as are promised, each with a name of its own', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25)
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  })

  test.each(MUTANTS)('$name still has its place in $file', (mutant) => {
    for (const edit of editsOf(mutant)) {
      const source = readFileSync(edit.file, 'utf8')
      expect(plant(source, edit, mutant.name)).not.toBe(source)
    }
  })
})
