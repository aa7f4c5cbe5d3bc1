import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../core/errors.ts'
import { cellDecoder } from '../../../schemas/decode/cell-decoder.ts'
import { decimal } from '../../../schemas/delta-types.ts'
import { POSTGRES_TYPE_NAMES, parsePostgresType } from '../../../schemas/postgres-types.ts'

const typeOf = (text: string) => parsePostgresType(text, 'public.t.a').type

describe('the Postgres types of a contract', () => {
  test('are read as Postgres spells them, and as people do', () => {
    expect(typeOf('numeric(10,2)')).toEqual(decimal(10, 2))
    expect(typeOf(' NUMERIC ( 10 , 2 ) ')).toEqual(decimal(10, 2))
    expect(typeOf('character varying(20)')).toBe('string')
    expect(typeOf('timestamp(3) without time zone')).toBe('timestamp_ntz')
    expect(typeOf('timestamp with time zone')).toBe('timestamp')
    expect(typeOf('timestamptz(6)')).toBe('timestamp')
    expect(typeOf('time(3) with time zone')).toBe('string')
    expect(typeOf('double precision')).toBe('double')
    expect(typeOf('int4[]')).toEqual({ kind: 'array', element: 'integer', containsNull: true })
    expect(typeOf('numeric(10,2)[]')).toEqual({ kind: 'array', element: decimal(10, 2), containsNull: true })
  })

  test('become decimals as far as Delta has them', () => {
    expect(typeOf('numeric(38,9)')).toEqual(decimal(38, 9))
    expect(typeOf('numeric(39,9)')).toBe('string')
    expect(typeOf('numeric')).toBe('string')
    expect(typeOf('numeric(2,-3)')).toEqual(decimal(5, 0))
    expect(typeOf('numeric(3,5)')).toEqual(decimal(5, 5))
  })

  test.each(POSTGRES_TYPE_NAMES)('%s can be read from a topic', (name) => {
    expect(cellDecoder(parsePostgresType(name, 'public.t.a'))).not.toBeNull()
    expect(cellDecoder(parsePostgresType(`${name}[]`, 'public.t.a'))).not.toBeNull()
  })

  test.each([
    'mood',
    '',
    'numeric(10,2',
    'numeric(0)',
    'int(4)',
    'timestamp(7)',
    'bit(1,2)',
    'text)',
    'toString',
    '__proto__',
  ])('%j is not one', (text) => {
    expect(() => parsePostgresType(text, 'public.t.a')).toThrow(EngineError)
  })

  test('the error names the column, the near types and what to do', () => {
    const thrown = (() => {
      try {
        return parsePostgresType('timestampz', 'shop.orders.at')
      } catch (error) {
        return error as EngineError
      }
    })()
    expect(thrown).toMatchObject({ code: 'E_UNKNOWN_TYPE', remedy: 'usage' })
    expect((thrown as EngineError).message).toMatch(
      /shop\.orders\.at.*"timestampz".*timestamptz.*domain.*enum/,
    )
  })
})
