import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { inject } from 'vitest'

export type CompressionName = 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Writes lines to a topic by Kafka's own producer, whose compressed forms are the ones that are out there. */
export function produceByJava(topic: string, compression: CompressionName, lines: readonly string[]): void {
  const args = ['-Xmx128m', '-XX:+UseSerialGC', '-Drig.log.level=WARN', '-cp', resolve('.rig/kafka/*')]
  args.push(`-Dlog4j2.configurationFile=${resolve('test/e2e/rig/log4j2.properties')}`)
  args.push('org.apache.kafka.tools.ConsoleProducer', '--bootstrap-server', inject('kafkaBroker'))
  args.push('--topic', topic, '--compression-codec', compression, '--batch-size', '65536')
  execFileSync('java', args, {
    input: lines.map((line) => `${line}\n`).join(''),
    stdio: ['pipe', 'ignore', 'inherit'],
  })
}
