import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { defaultConfig } from '../../../../src/config/default-config.ts'
import { Secret } from '../../../../src/config/secret.ts'
import { parseConnectorFile } from '../../../../src/setup/connector-file.ts'
import { redpandaConfig } from '../../../../src/setup/redpanda-config.ts'

describe('a connector from a file', () => {
  test('may hold comments, and be whole or its configuration alone', () => {
    const text = `{
      "name": "warehouse", // ours
      "config": { "connector.class": "x.Y", "snapshot.mode": "never", /* "a": 1, */ "url": "http://h//x", "tasks.max": 1 }
    }`
    const properties = {
      'connector.class': 'x.Y',
      'snapshot.mode': 'never',
      url: 'http://h//x',
      'tasks.max': '1',
    }
    expect(parseConnectorFile(text, 'f.json')).toEqual({ name: 'warehouse', properties })
    expect(parseConnectorFile('{"name":"w","connector.class":"x.Y"}', 'f.json')).toEqual({
      name: 'w',
      properties: { 'connector.class': 'x.Y' },
    })
  })

  test('hides its secrets', () => {
    const { properties } = parseConnectorFile(
      '{"name":"w","connector.class":"x","database.password":"canary"}',
      'f',
    )
    expect(properties['database.password']).toBeInstanceOf(Secret)
    expect(JSON.stringify(properties)).not.toContain('canary')
  })

  test.each([
    ['{"name": "w", "database.password": "canary" oops', /f\.json cannot be a connector: it is no JSON/],
    ['[]', /it is no object/],
    ['{"config": {}}', /no `name`/],
    ['{"name":"w","config":{}}', /no `connector\.class`/],
    ['{"name":"w","config":{"connector.class":"x","a":{}}}', /`a` is no plain value/],
  ])('refuses %s', (text, message) => {
    expect(() => parseConnectorFile(text, 'f.json')).toThrow(message)
    try {
      parseConnectorFile(text, 'f.json')
    } catch (error) {
      expect(String(error)).not.toContain('canary')
    }
  })
})

describe('a file for Redpanda Connect', () => {
  const capture = {
    ...defaultConfig({ from: '.' }).upstreams.get('default')!.postgres,
    tables: ['public.orders', 'public.order'],
  }
  const options = {
    brokers: ['redpanda:9092'],
    topic: 'cdc_events',
    keys: new Map([['public.orders', ['id']]]),
  }

  test('keeps keys in order, tells unchanged values, and copies what is there already', () => {
    const { input, output, pipeline } = parse(redpandaConfig(capture, options))
    expect(input.postgres_cdc).toMatchObject({
      dsn: '${POSTGRES_CDC_DSN}',
      tables: ['orders', 'order'],
      stream_snapshot: true,
      unchanged_toast_value: '__debezium_unavailable_value',
    })
    expect(output.kafka_franz).toMatchObject({
      topic: 'cdc_events',
      partitioner: 'murmur2_hash',
      max_in_flight: 1,
    })
    expect(pipeline.processors[0].mapping).toContain('"orders" => [@table, this.get("id")]')
  })

  test('says what it cannot do', () => {
    expect(() => redpandaConfig({ ...capture, tables: '*' }, options)).toThrow(/no "all tables"/)
    expect(() => redpandaConfig({ ...capture, tables: ['a.b'] }, options)).toThrow(/a\.b is not in public/)
  })
})
