import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkajs } from '../../src/io/kafka-client.ts'
import { ROOT } from '../places.ts'

/** The servers that `run.sh` starts, by what it sets around us. */

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: this is run by bench/live/run.sh`)
  return value
}

export const STATE = setting('RIG_STATE')
export const BROKER = `127.0.0.1:${setting('KAFKA_PORT')}`
export const CONNECT_URL = `http://127.0.0.1:${setting('CONNECT_PORT')}`
export const POSTGRES_PORT = setting('POSTGRES_PORT')
export const POSTGRES_URL = `postgres://postgres:postgres@127.0.0.1:${POSTGRES_PORT}/postgres`

export const kafka = new kafkajs.Kafka({ brokers: [BROKER], logLevel: kafkajs.logLevel.NOTHING })

export function startPart(part: 'postgres' | 'connect'): void {
  execFileSync('bash', [join(ROOT, `test/e2e/rig/${part}.sh`), 'start'], { stdio: 'inherit' })
}

export async function createTopic(topic: string): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
  await admin.disconnect()
}

const TICKS_A_SECOND = 100

/** CPU seconds that the broker has used. */
export function brokerCpuSeconds(): number {
  const [pid] = readFileSync(join(STATE, 'kafka.pid'), 'utf8').split(' ')
  return cpuSecondsOf(Number(pid))
}

export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}
