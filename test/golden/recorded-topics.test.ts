import { describe, expect, test } from 'vitest'
import type { Decoded } from '../../schemas/change-event.ts'
import { contract, decodeTopics, recordedContracts, recordingFolder } from '../support/decoding.ts'
import { readRecording } from '../support/recorded-topics.ts'

function counted(all: readonly Decoded[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const decoded of all) {
    const name =
      decoded.kind === 'change'
        ? decoded.op
        : decoded.kind === 'control'
          ? decoded.what
          : decoded.kind === 'undecodable'
            ? decoded.message
            : decoded.kind
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** By counting the recordings' own `op` fields. */
const EXPECTED = { r: 34, c: 68, u: 32, d: 24, t: 1, tombstone: 24, message: 3 }

describe('every record of a recorded Debezium', () => {
  test('decodes without schemas, by the types of a contract', () => {
    const topics = readRecording(recordingFolder('envelope'))
    expect(counted(decodeTopics(topics, recordedContracts()))).toEqual(EXPECTED)
  })

  test('decodes without schemas and without a contract, by what JSON shows', () => {
    const topics = readRecording(recordingFolder('envelope'))
    expect(counted(decodeTopics(topics, () => contract()))).toEqual(EXPECTED)
  })

  test('decodes by its inline schema', () => {
    const topics = readRecording(recordingFolder('envelope-schema'))
    expect(counted(decodeTopics(topics, () => contract()))).toEqual(EXPECTED)
  })

  test('decodes by its inline schema and a contract that agrees with it', () => {
    const topics = readRecording(recordingFolder('envelope-schema'))
    expect(counted(decodeTopics(topics, recordedContracts()))).toEqual(EXPECTED)
  })
})
