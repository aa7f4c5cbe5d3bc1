/**
 * Every place where the engine asks its store for something. A test makes each of them fail, in every way a store can,
 * and counts them (`test/sim/loop/`): a new place is written down here, or it does not compile.
 */
export const STORE_SITES = [
  'checkpoint.get',
  'checkpoint.put',
  'cdc.put',
  'data.get',
  'data.head',
  'data.put',
  'deletion-vector.get',
  'dv.put',
  'lake.list',
  'log.clean',
  'log.get',
  'log.head',
  'log.last-checkpoint.get',
  'log.last-checkpoint.put',
  'log.list',
  'log.put',
  'log.read-back',
  'probe.delete',
  'probe.get',
  'probe.put',
] as const

export type StoreSite = (typeof STORE_SITES)[number]
