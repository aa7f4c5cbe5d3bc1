import type { SourceColumn } from '../../core/ports.ts'
import type { Cell, DeltaType } from '../../schemas/delta-types.ts'
import { arrayText, hstoreText, pointText } from './nested-texts.ts'
import { booleanText, decimalColumnText, integerText, moneyText, realText } from './number-texts.ts'
import { bytesText, charText, inetText, paddedBitsText, plainText, varbitText } from './plain-texts.ts'
import { parseSourceType, type SourceType } from './source-type.ts'
import { dateText, intervalText, timestampText, timestamptzText, timeText, timetzText } from './time-texts.ts'

/**
 * One text for one value, made in two places: by the source in SQL, and here from a cell of the lake. Two values are the
 * same exactly when their texts are.
 *
 * @see reliability §4 "Canonical text"; formats §7 for what a connector makes of each type
 */
export interface CanonicalText {
  /**
   * An expression of type text; null where the value is. It is written into the statement: a function for it would cost
   * ten times as much.
   *
   * @param value an expression that may be repeated: a column
   */
  sql(value: string): string
  text(cell: NonNullCell): string
  /** The cell that a stream makes of the value; of several that have this text, the usual one. */
  cell(text: string): NonNullCell
  /** Whether no two cells have one text: `cell` is then the one that is stored. */
  readonly isOneToOne: boolean
  /** All its characters are one octet in UTF-8, so that its length is known without counting. */
  readonly isAscii: boolean
  /** What of such a value the stream does not carry, so that it cannot be compared; `null`: all is compared. */
  readonly loss: string | null
}

export type NonNullCell = Exclude<Cell, null>

/** Why a column cannot be compared at all. */
export interface Incomparable {
  readonly reason: string
}

type Make = (type: SourceType, delta: DeltaType) => CanonicalText | Incomparable | null

const BY_NAME: Readonly<Record<string, Make>> = {
  boolean: (_, delta) => booleanText(delta),
  smallint: (_, delta) => integerText(delta),
  integer: (_, delta) => integerText(delta),
  bigint: (_, delta) => integerText(delta),
  oid: (_, delta) => integerText(delta),
  numeric: (_, delta) => decimalColumnText(delta),
  money: (_, delta) => moneyText(delta),
  real: (_, delta) => realText('float4', delta),
  'double precision': (_, delta) => realText('float8', delta),
  character: ({ length }, delta) => charText(length ?? 1, delta),
  bytea: (_, delta) => bytesText(delta),
  bit: ({ length }, delta) =>
    (length ?? 1) === 1 && delta === 'boolean' ? bitText(delta) : paddedBitsText(delta),
  'bit varying': ({ length }, delta) =>
    length === 1 && delta === 'boolean' ? bitText(delta) : varbitText(delta),
  date: (_, delta) => dateText(delta),
  'time without time zone': (_, delta) => timeText(delta),
  'time with time zone': (_, delta) => timetzText(delta),
  'timestamp without time zone': (_, delta) => timestampText(delta),
  'timestamp with time zone': (_, delta) => timestamptzText(delta),
  interval: (_, delta) => intervalText(delta),
  inet: (_, delta) => inetText(delta),
  point: (_, delta) => pointText(delta),
  hstore: ({ prefix }, delta) => hstoreText(prefix, delta),
  tstzrange: () => ({ reason: 'its text is in the time zone of the session that the connector has' }),
}

/** A bit that is delivered as a boolean: its own text is 1 or 0 too. */
function bitText(delta: DeltaType): CanonicalText | null {
  const text = booleanText(delta)
  return text === null ? null : { ...text, sql: (value) => `(${value})::text` }
}

/** Numbers of any kind whose values the lake keeps as text are read as text, and only there. */
export function canonicalText(
  column: Pick<SourceColumn, 'type' | 'kind'>,
  delta: DeltaType,
): CanonicalText | Incomparable {
  if (column.kind === 'composite' || column.kind === 'multirange' || column.kind === 'pseudo') {
    return { reason: `a connector does not deliver ${column.type}` }
  }
  const type = parseSourceType(column.type)
  const made = type.isArray ? arrayOfTexts(type, delta) : textOf(type, delta)
  return made ?? { reason: `${column.type} is kept as a type that does not fit it` }
}

function textOf(type: SourceType, delta: DeltaType): CanonicalText | Incomparable | null {
  return (BY_NAME[type.name] ?? ((_, kept) => plainText(kept)))(type, delta)
}

function arrayOfTexts(type: SourceType, delta: DeltaType): CanonicalText | Incomparable | null {
  if (typeof delta === 'string' || delta.kind !== 'array') return null
  const element = textOf({ ...type, isArray: false }, delta.element)
  return element === null || 'reason' in element ? element : arrayText(element)
}
