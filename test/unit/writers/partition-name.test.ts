import { expect, test } from 'vitest'
import { partitionName } from '../../../writers/partition-name.ts'

test('partitions that take turns keep their names', () => {
  const names = [0, 1, 0].map((partition) => partitionName('orders', partition))
  expect(names).toEqual(['orders/0', 'orders/1', 'orders/0'])
  expect(partitionName('items', 0)).toBe('items/0')
  expect(partitionName('orders', 0)).toBe('orders/0')
})
