import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

/*
 * What the compose specification says of the parts that our file is made of; nothing here runs containers. A key that
 * stands here is one of the specification's; a new one is to be looked up there first.
 */
const duration = z.string().regex(/^(?:\d+(?:us|ms|s|m|h))+$/)
const bytes = z.string().regex(/^\d+(?:b|k|kb|m|mb|g|gb)$/)
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const words = z.union([z.string(), z.array(z.string())])
const resourceName = z.string().regex(/^[a-zA-Z0-9._-]+$/)
const unique = z.array(z.string()).refine((all) => new Set(all).size === all.length, { error: 'repeats' })

const healthcheck = z.strictObject({
  test: z.array(z.string()).refine(([kind]) => ['NONE', 'CMD', 'CMD-SHELL'].includes(kind!)),
  interval: duration,
  timeout: duration,
  retries: z.number().int(),
})

const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully'])

const service = z
  .strictObject({
    image: z.string().optional(),
    build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
    command: words.optional(),
    environment: z.record(z.string(), scalar).optional(),
    depends_on: z
      .union([z.array(resourceName), z.record(resourceName, z.strictObject({ condition }))])
      .optional(),
    ports: z.array(z.string().regex(/^(?:[\d.]+:)?\d+:\d+(?:\/(?:tcp|udp))?$/)).optional(),
    volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w./-]+(?::(?:ro|rw))?$/)).optional(),
    healthcheck: healthcheck.optional(),
    read_only: z.boolean().optional(),
    tmpfs: words.optional(),
    cap_drop: unique.optional(),
    security_opt: unique.optional(),
    mem_limit: bytes.optional(),
    stop_grace_period: duration.optional(),
    restart: z.enum(['no', 'always', 'unless-stopped', 'on-failure']).optional(),
  })
  .refine(({ image, build }) => image !== undefined || build !== undefined, {
    error: 'neither image nor build',
  })

const composeFile = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  services: z.record(resourceName, service),
  volumes: z.record(resourceName, z.null()),
})

type Services = z.infer<typeof composeFile>['services']

/** Waits that would never end: for health that nobody looks at, or for the end of what never ends. */
function endlessWaits(services: Services): readonly string[] {
  return Object.entries(services).flatMap(([name, { depends_on: needs }]) => {
    if (needs === undefined || Array.isArray(needs)) return []
    return Object.entries(needs).flatMap(([needed, { condition: waitsFor }]) => {
      const other = services[needed]
      const isEndless =
        other === undefined ||
        (waitsFor === 'service_healthy' && other.healthcheck === undefined) ||
        (waitsFor === 'service_completed_successfully' && (other.restart ?? 'no') !== 'no')
      return isEndless ? [`${name} waits for ${needed}`] : []
    })
  })
}

/** A `$` that is not doubled is a variable of whoever starts it, and empty when that has none. */
const VARIABLE = /(?<!\$)(?:\$\$)*\$(?!\$)/

const text = readFileSync(resolve(import.meta.dirname, '../../../deploy/compose.yaml'), 'utf8')
const read = () => parse(text) as z.infer<typeof composeFile>

describe('compose.yaml by the compose specification', () => {
  test('has the keys and values that it allows', () => {
    expect(composeFile.safeParse(read()).error?.issues ?? []).toEqual([])
  })

  test('waits for nothing that never comes', () => {
    expect(endlessWaits(read().services)).toEqual([])
  })

  test('needs no variables of whoever starts it', () => {
    expect(text.split('\n').filter((line) => VARIABLE.test(line.replace(/^\s*#.*/, '')))).toEqual([])
  })

  test.each<[string, (file: z.infer<typeof composeFile>) => void]>([
    ['a key that there is not', ({ services }) => Object.assign(services['kafka']!, { volume: [] })],
    [
      'a time without a unit',
      ({ services }) => Object.assign(services['alluvium']!, { stop_grace_period: 40 }),
    ],
    [
      'a condition that there is not',
      ({ services }) =>
        Object.assign(services['alluvium']!, { depends_on: { kafka: { condition: 'healthy' } } }),
    ],
    ['a service of nothing', ({ services }) => Object.assign(services, { nothing: {} })],
  ])('%s is found out', (_, spoil) => {
    const file = read()
    spoil(file)
    expect(composeFile.safeParse(file).success).toBe(false)
  })

  test('a wait without an end is found out', () => {
    const { services } = read()
    services['kafka'] = { ...services['kafka']!, healthcheck: undefined }
    expect(endlessWaits(services)).toContain('alluvium waits for kafka')
  })
})
