import { EngineError, messageOf } from '../../core/errors.ts'
import { actionsOfLine } from './action-json.ts'
import type { Action } from './actions.ts'
import { stringifyExactJson } from './exact-json.ts'
import { assertLegalCommit } from './legal-commit.ts'

/** Removes before adds (a path may be in both), and `commitInfo` first, as in-commit timestamps will want it. */
const ORDER: Readonly<Record<Action['kind'], number>> = {
  commitInfo: 0,
  protocol: 1,
  metaData: 2,
  txn: 3,
  domainMetadata: 4,
  remove: 5,
  add: 6,
  cdc: 7,
}

/**
 * The bytes of one log entry: an action a line.
 *
 * @param actions one legal commit, in any order
 * @throws AssertionError when it is not legal
 * @see PROTOCOL.md "Delta Log Entries"; delta-protocol §2
 */
export function writeCommit(actions: readonly Action[]): Uint8Array {
  assertLegalCommit(actions)
  const lines = actions.toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind]).map(lineOf)
  return new TextEncoder().encode(lines.join(''))
}

function lineOf(action: Action): string {
  const { kind, ...body } = action
  const whole = kind === 'cdc' ? { ...body, dataChange: false } : body
  const entry = { [kind]: whole }
  return `${hasLongs(action) ? stringifyExactJson(entry) : JSON.stringify(entry)}\n`
}

/** Members that `JSON.stringify` cannot write. */
function hasLongs(action: Action): boolean {
  if (action.kind === 'txn') return true
  if (action.kind !== 'add' && action.kind !== 'remove') return false
  return action.baseRowId !== undefined || action.defaultRowCommitVersion !== undefined
}

/**
 * The actions of one log entry in their order; unknown actions and members are left out.
 *
 * @param version of the entry, for messages
 * @throws EngineError `E_LOG_ENTRY` (stop-table) naming version and line when a line is no action
 */
export function readCommit(bytes: Uint8Array, version: number): Action[] {
  const lines = decodeLines(bytes, version)
  const actions: Action[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (line.length === 0 || line === '\r') continue
    try {
      actionsOfLine(line, actions)
    } catch (error) {
      throw malformed(`line ${at + 1}: ${messageOf(error)}`, version, error)
    }
  }
  if (lines.every((line) => line.trim() === '')) throw malformed('it is empty', version)
  return actions
}

function decodeLines(bytes: Uint8Array, version: number): string[] {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
  } catch (error) {
    throw malformed('it is not UTF-8', version, error)
  }
}

function malformed(what: string, version: number, cause?: unknown): EngineError {
  return new EngineError(
    'E_LOG_ENTRY',
    'stop-table',
    `log entry cannot be read: ${what}. An entry is never written twice, so this one was damaged or cut off by the ` +
      'program that wrote it: restore it from a backup or an object version, or restore the table to the version before',
    { version },
    cause,
  )
}
