import { isUtf8 } from 'node:buffer'
import { type Command, InvalidArgumentError } from 'commander'
import { EngineError } from '../../core/errors.ts'
import { type DeadLetter, findDeadLetter } from '../pipeline/read-dead-letters.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { instantText } from './measures.ts'
import { printable, toJson } from './output.ts'

const PARTITION_MAX = 2n ** 31n - 1n
const OFFSET_MAX = 2n ** 63n - 1n

/** `alluvium dlq show TOPIC PARTITION OFFSET` */
export function registerDlqShow(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'show',
    summary:
      'show a record that could not be read, with its bytes: as text, or in base64 where they are none',
    example: 'dlq show shop.inventory.customers 0 4711',
  })
  command
    .argument('<topic>')
    .argument('<partition>', 'number of the partition', parsePartition)
    .argument('<offset>', 'offset in the partition', (text) => parseCoordinate(text))
  withLakeOptions(command).action(
    exiting(context, (topic: string, partition: number, offset: bigint, options: LakeOptions) =>
      show({ topic, partition, offset }, options, context),
    ),
  )
}

export function parsePartition(text: string): number {
  return Number(parseCoordinate(text, PARTITION_MAX))
}

/** @param max an offset's, unless it is said */
export function parseCoordinate(text: string, max = OFFSET_MAX): bigint {
  if (/^\d{1,19}$/.test(text) && BigInt(text) <= max) return BigInt(text)
  throw new InvalidArgumentError('It must be a whole number from 0 on.')
}

interface Coordinates {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

async function show(at: Coordinates, options: LakeOptions, context: CliContext): Promise<ExitCode> {
  const { store } = await openLakeOf(options, context)
  const letter = await findDeadLetter(store, at.topic, at.partition, at.offset)
  if (letter === null) {
    throw new EngineError(
      'E_NO_LETTER',
      'usage',
      `there is no dead letter of this record in ${store.location}; \`alluvium dlq list\` shows those there are`,
      at,
    )
  }
  context.stdout.write(options.json === true ? `${toJson(asJson(letter))}\n` : asText(letter))
  return EXIT.ok
}

/** In the form of a recorded topic (design §4), with why the record was set aside. */
function asJson(letter: DeadLetter): unknown {
  const { topic, partition, offset, timestampMs, table, reason, message, replayedMs, headers } = letter
  return {
    ...{ topic, partition, offset, timestamp: timestampMs, table, reason, message },
    ...(replayedMs === null ? {} : { replayed: replayedMs }),
    ...bytesJson('key', letter.key),
    ...bytesJson('value', letter.value),
    headers: headers.map(([name, value]) => [
      name,
      value === null || isUtf8(value) ? textOf(value) : { base64: base64Of(value) },
    ]),
  }
}

function bytesJson(name: 'key' | 'value', bytes: Uint8Array | null): Readonly<Record<string, string | null>> {
  return bytes === null || isUtf8(bytes) ? { [name]: textOf(bytes) } : { [`${name}Base64`]: base64Of(bytes) }
}

function asText(letter: DeadLetter): string {
  const lines: [string, string][] = [
    ['topic', letter.topic],
    ['partition', String(letter.partition)],
    ['offset', String(letter.offset)],
    ['time (UTC)', instantText(letter.timestampMs)],
    ['table', letter.table ?? 'not known'],
    ['reason', letter.reason],
    ['message', letter.message],
    ...(letter.replayedMs === null
      ? []
      : [['replayed (UTC)', instantText(letter.replayedMs)] as [string, string]]),
    ['key', bytesText(letter.key)],
    ['value', bytesText(letter.value)],
    ...letter.headers.map(([name, value]): [string, string] => ['header', `${name}: ${bytesText(value)}`]),
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${printable(text)}\n`).join('')
}

function bytesText(bytes: Uint8Array | null): string {
  if (bytes === null) return 'none'
  return isUtf8(bytes)
    ? `${bytes.length} bytes: ${textOf(bytes)}`
    : `${bytes.length} bytes, base64: ${base64Of(bytes)}`
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('utf8')
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
