import type { Cell } from '../../schemas/delta-types.ts'
import type { LeafEntries } from './leaf-entries.ts'
import type { LeafSource, ReadNode } from './read-tree.ts'

/** Entries of the leaves that a node needs. */
export type EntriesOf = ReadonlyMap<LeafSource, LeafEntries>

/** Puts the next cell of a node together from its leaves (Dremel's record assembly), moving them on. */
export function readCell(node: ReadNode, entriesOf: EntriesOf): Cell {
  switch (node.kind) {
    case 'absent':
      return null
    case 'leaf': {
      const entries = entriesOf.get(node.leaves[0])!
      const hasValue = entries.defs[entries.entry++] === node.leaves[0].maxDef
      return hasValue ? entries.values[entries.value++]! : null
    }
    case 'struct': {
      if (definition(node, entriesOf) < node.presentDef) return skipEntry(node, entriesOf)
      const cells = node.children.map((child) => readCell(child, entriesOf))
      skipWitness(node, entriesOf)
      return cells
    }
    case 'repeated': {
      const def = definition(node, entriesOf)
      if (def <= node.presentDef) {
        skipEntry(node, entriesOf)
        return def < node.presentDef ? null : []
      }
      return readItems(node, entriesOf)
    }
  }
}

function readItems(node: ReadNode & { kind: 'repeated' }, entriesOf: EntriesOf): Cell {
  const first = entriesOf.get(node.leaves[0]!)!
  const [element] = node.children
  const items: Cell[] = []
  do {
    items.push(
      node.isMap ? node.children.map((child) => readCell(child, entriesOf)) : readCell(element!, entriesOf),
    )
  } while (first.reps[first.entry] === node.itemRep)
  return items
}

function definition(node: Exclude<ReadNode, { kind: 'absent' }>, entriesOf: EntriesOf): number {
  const first = entriesOf.get(node.leaves[0]!)!
  return first.defs[first.entry]!
}

/** Below a null or empty node every leaf has one entry and no value. */
function skipEntry(node: Exclude<ReadNode, { kind: 'absent' }>, entriesOf: EntriesOf): null {
  for (const leaf of node.leaves) entriesOf.get(leaf)!.entry++
  return null
}

/** No child reads the witness of a struct, which may have many entries below the struct. */
function skipWitness(node: ReadNode & { kind: 'struct' }, entriesOf: EntriesOf): void {
  const [leaf] = node.leaves
  if (leaf === undefined || leaf.conversion !== null) return
  const entries = entriesOf.get(leaf)!
  do {
    entries.entry++
  } while (entries.reps[entries.entry]! > node.rep)
}
