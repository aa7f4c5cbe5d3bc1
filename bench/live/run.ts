import { stampResult, storeStamped } from '../results.ts'
import { measureChain } from './chain.ts'
import { measureFreshness } from './freshness.ts'
import type { LiveResult } from './live-result.ts'
import { measureScaleOut } from './scale-out.ts'

/** `make bench-live`: what needs a broker and an object store. What was not asked for is left out. */

const asked = process.argv.slice(2)
const isAsked = (part: string) => asked.length === 0 || asked.includes(part)
const told = <Part>(name: string, part: Part): Part => {
  process.stdout.write(`${name}: ${JSON.stringify(part, null, 1)}\n`)
  return part
}

const stamp = stampResult()
const freshness = isAsked('freshness') ? { freshness: told('freshness', await measureFreshness()) } : {}
const chain = isAsked('chain') ? { chain: told('chain', await measureChain()) } : {}
const scaleOut = isAsked('scale-out') ? { scaleOut: told('scale-out', await measureScaleOut()) } : {}
const result: LiveResult = { ...stamp(), ...freshness, ...chain, ...scaleOut }
process.stdout.write(`stored in ${storeStamped('live', result)}\n`)
