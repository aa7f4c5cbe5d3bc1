import { EngineError } from '../../core/errors.ts'
import type { KafkaSecret } from '../config/kafka-settings.ts'
import { readTextFile } from './text-file.ts'

/** @throws EngineError `E_CONFIG` when it is in a file, and there is none */
export async function readSecret(secret: KafkaSecret): Promise<string> {
  return 'file' in secret ? (await neededFile(secret.file)).trim() : secret.reveal()
}

/** @throws EngineError `E_CONFIG` when there is no such file */
export async function neededFile(path: string): Promise<string> {
  const text = await readTextFile(path)
  if (text !== null) return text
  throw new EngineError('E_CONFIG', 'stop', `there is no file ${path}, which the Kafka source needs`)
}
