import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { tableLocation } from '../../../../src/cli/table-location.ts'
import { parseLake } from '../../../../src/config/default-config.ts'

test.each([
  ['./lake', 'shop/orders', resolve('lake/shop/orders')],
  ['/data/lake/', 'shop/orders', '/data/lake/shop/orders'],
  ['/data/lake', '', '/data/lake'],
  ['s3://bucket', 'shop/orders', 's3://bucket/shop/orders'],
  ['s3a://bucket/a/b/', 'shop/orders', 's3://bucket/a/b/shop/orders'],
])('in the lake %s, the table %s lies at %s', (lake, path, location) => {
  expect(tableLocation(parseLake(lake), path)).toBe(location)
})
