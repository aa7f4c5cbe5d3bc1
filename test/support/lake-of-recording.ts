import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runCommand } from './cli-run.ts'

/** `fixtures/debezium/envelope-schema`, from anywhere. */
export const RECORDING = resolve(import.meta.dirname, '../../fixtures/debezium/envelope-schema')

/** A new directory under the system's own for temporary files; whoever asks for it removes it. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'alluvium-test-'))
}

/** Ingests recorded topics into a lake on disk, as a person does it. */
export async function ingestInto(lake: string, from: string = RECORDING): Promise<number> {
  const { exitCode } = await runCommand(['ingest', '--from', from, '--until-end', '--lake', lake, '--json'])
  return exitCode
}
