import type { SchemaElement, SchemaTree } from 'hyparquet'
import { assert } from '../../core/assert.ts'
import { EngineError } from '../../core/errors.ts'
import type { ArrayType, DeltaType, MapType, StructType } from '../../schemas/delta-types.ts'
import { type CellConversion, cellConversion } from './cell-conversion.ts'
import { isLeafType } from './physical-types.ts'

/** A column of the file that has to be read. */
export interface LeafSource {
  /** Its place among the columns of each row group. */
  readonly ordinal: number
  readonly element: SchemaElement
  readonly maxDef: number
  readonly maxRep: number
  /** `null`: only its levels are wanted, as witness of a struct none of whose requested fields the file has. */
  readonly conversion: CellConversion | null
}

/** How a cell is put together. `leaves` are all columns below the node, the first of which tells whether it is null. */
export type ReadNode =
  | { readonly kind: 'absent' }
  | { readonly kind: 'leaf'; readonly leaves: readonly [LeafSource] }
  | {
      readonly kind: 'struct'
      readonly leaves: readonly LeafSource[]
      readonly children: readonly ReadNode[]
      /** From this definition level on, the struct is not null. */
      readonly presentDef: number
      readonly rep: number
    }
  | {
      readonly kind: 'repeated'
      readonly leaves: readonly LeafSource[]
      readonly isMap: boolean
      readonly children: readonly ReadNode[]
      readonly presentDef: number
      /** Repetition level of an item that is not the first; items are there above `presentDef`. */
      readonly itemRep: number
    }

/** A node of the file's schema with the levels used up to and including it. */
interface FileNode {
  readonly tree: SchemaTree
  readonly def: number
  readonly rep: number
}

/** One node a field of `schema`, found in the file by name. @throws EngineError when a type cannot be read as asked */
export function resolveColumns(schema: StructType, root: SchemaTree): readonly ReadNode[] {
  return resolveFields(schema, { tree: root, def: 0, rep: 0 }, ordinalsOf(root))
}

type Ordinals = ReadonlyMap<SchemaTree, number>

function ordinalsOf(root: SchemaTree): Ordinals {
  const ordinals = new Map<SchemaTree, number>()
  const visit = (tree: SchemaTree): void => {
    if (tree.children.length === 0) ordinals.set(tree, ordinals.size)
    tree.children.forEach(visit)
  }
  visit(root)
  return ordinals
}

function stepInto(parent: FileNode, tree: SchemaTree): FileNode {
  const repetition = tree.element.repetition_type
  return {
    tree,
    def: parent.def + (repetition === 'REQUIRED' ? 0 : 1),
    rep: parent.rep + (repetition === 'REPEATED' ? 1 : 0),
  }
}

function resolveFields(schema: StructType, parent: FileNode, ordinals: Ordinals): readonly ReadNode[] {
  return schema.fields.map(({ name, type }) => {
    const tree = parent.tree.children.find((child) => child.element.name === name)
    if (tree === undefined) return { kind: 'absent' }
    const node = stepInto(parent, tree)
    // A repeated field that no list group surrounds: no Delta writer makes one.
    if (tree.element.repetition_type === 'REPEATED') throw unlike(node, type)
    return resolve(type, node, ordinals)
  })
}

function resolve(type: DeltaType, node: FileNode, ordinals: Ordinals): ReadNode {
  const isGroup = node.tree.children.length > 0
  if (isLeafType(type)) {
    if (isGroup) throw unlike(node, type)
    return { kind: 'leaf', leaves: [leafSource(node, cellConversion(node.tree.element, type), ordinals)] }
  }
  if (!isGroup) throw unlike(node, type)
  switch (type.kind) {
    case 'struct': {
      const children = resolveFields(type, node, ordinals)
      const leaves = leavesOf(children)
      if (leaves.length === 0) leaves.push(witness(node, ordinals))
      return { kind: 'struct', leaves, children, presentDef: node.def, rep: node.rep }
    }
    case 'array':
      return repeated([resolve(type.element, listElement(node, type), ordinals)], node, false)
    case 'map': {
      const items = stepInto(node, onlyRepeated(node, type))
      const [key, value] = items.tree.children
      if (key === undefined || value === undefined) throw unlike(node, type)
      return repeated(
        [
          resolve(type.key, stepInto(items, key), ordinals),
          resolve(type.value, stepInto(items, value), ordinals),
        ],
        node,
        true,
      )
    }
  }
}

function repeated(children: readonly ReadNode[], node: FileNode, isMap: boolean): ReadNode {
  return {
    kind: 'repeated',
    leaves: leavesOf(children),
    isMap,
    children,
    presentDef: node.def,
    itemRep: node.rep + 1,
  }
}

function onlyRepeated(node: FileNode, type: ArrayType | MapType): SchemaTree {
  const [only, ...others] = node.tree.children
  if (only === undefined || others.length > 0 || only.element.repetition_type !== 'REPEATED')
    throw unlike(node, type)
  return only
}

/** @see Parquet "LogicalTypes.md", "Lists", "Backward-compatibility rules": old files have lists of two levels */
function listElement(node: FileNode, type: ArrayType): FileNode {
  const items = stepInto(node, onlyRepeated(node, type))
  const { element, children } = items.tree
  const isElementItself =
    children.length !== 1 || element.name === 'array' || element.name === `${node.tree.element.name}_tuple`
  return isElementItself ? items : stepInto(items, children[0]!)
}

function leavesOf(nodes: readonly ReadNode[]): LeafSource[] {
  return nodes.flatMap((node) => (node.kind === 'absent' ? [] : node.leaves))
}

function witness(node: FileNode, ordinals: Ordinals): LeafSource {
  let at = node
  while (at.tree.children.length > 0) at = stepInto(at, at.tree.children[0]!)
  return leafSource(at, null, ordinals)
}

function leafSource(node: FileNode, conversion: CellConversion | null, ordinals: Ordinals): LeafSource {
  const ordinal = ordinals.get(node.tree)
  assert(ordinal !== undefined, 'a leaf of the schema is among its leaves')
  const { element } = node.tree
  return { ordinal, element, maxDef: node.def, maxRep: node.rep, conversion }
}

function unlike({ tree }: FileNode, type: DeltaType): EngineError {
  const wanted = isLeafType(type) ? (typeof type === 'string' ? type : 'decimal') : type.kind
  const found = tree.element.type ?? `a group of ${tree.children.length}`
  return new EngineError(
    'E_PARQUET_TYPE',
    'stop-table',
    `the column ${tree.path.join('.')} of a Parquet file is ${found}, which cannot be read as ${wanted}: rewrite the file, or correct the table's schema`,
  )
}
