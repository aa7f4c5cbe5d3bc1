import { expect, test } from 'vitest'
import { UNDECODABLE_REASONS } from '../../../../schemas/decode/undecodable-reasons.ts'

test('the reasons of dead letters stay what they are', () => {
  expect(UNDECODABLE_REASONS).toEqual([
    ...['UNKNOWN_ENCODING', 'REGISTRY_FRAMED', 'BAD_UTF8', 'BAD_JSON', 'DUPLICATE_MEMBER', 'TOO_DEEP'],
    ...['UNRECOGNISED_SHAPE', 'UNSUPPORTED_FORMAT', 'UNSUPPORTED_CONNECTOR'],
    ...['BAD_SCHEMA', 'SCHEMA_MISMATCH'],
    ...[
      'UNKNOWN_OP',
      'NO_SOURCE',
      'BAD_SOURCE',
      'NO_POSITION',
      'BAD_POSITION',
      'BEFORE_MISSING',
      'AFTER_MISSING',
    ],
    ...['BAD_ROW', 'EMPTY_COLUMN_NAME', 'TOO_MANY_COLUMNS'],
    ...['BAD_KEY', 'KEY_MISSING', 'KEY_NULL', 'KEY_MISMATCH', 'KEY_UNTRUSTED'],
    ...[
      'TYPE_CLASH',
      'BAD_BOOLEAN',
      'BAD_INTEGER',
      'INTEGER_OUT_OF_RANGE',
      'BAD_NUMBER',
      'NUMBER_OUT_OF_RANGE',
    ],
    ...['BAD_DECIMAL', 'DECIMAL_OUT_OF_RANGE', 'BAD_TEXT', 'BAD_BASE64', 'BAD_BITS'],
    ...[
      'BAD_DATE',
      'BAD_TIME',
      'BAD_TIMESTAMP',
      'TIMESTAMP_OUT_OF_RANGE',
      'BAD_ARRAY',
      'BAD_MAP',
      'BAD_STRUCT',
    ],
  ])
})
