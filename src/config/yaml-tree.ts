import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { EngineError } from '../../core/errors.ts'
import { type Environment, expandVariables } from './environment.ts'

const TEXT_LENGTH_MAX = 1024 * 1024
/** A configuration has no need of aliases that multiply. */
const ALIASES_MAX = 100

export type Path = readonly (string | number)[]

/** A YAML text as plain values, with a way back from a value to its line. */
export interface YamlTree {
  readonly root: unknown
  /** `alluvium.yaml:7`, as exact as can be told. */
  readonly placeOf: (path: Path) => string
  /** Values that came out of the environment, by their path joined with `.`. */
  readonly fromEnvironment: ReadonlySet<string>
}

/** Where something is wrong in a configuration and what; every such error reads alike. */
export function configError(place: string, path: Path, fault: string): EngineError {
  const key = path.length === 0 ? '' : ` ${formatPath(path)}:`
  return new EngineError('E_CONFIG', 'stop', `${place}:${key} ${fault}`)
}

export function formatPath(path: Path): string {
  return path.map((part) => (/^[\w-]+$/.test(String(part)) ? String(part) : JSON.stringify(part))).join('.')
}

/**
 * Reads YAML 1.2 (core schema: no tags that make objects) and expands variables in its texts.
 *
 * @param name of the file, for messages
 * @throws EngineError `E_CONFIG` for broken YAML, repeated keys, foreign tags, too many aliases, variables not set
 */
export function readYaml(text: string, name: string, environment: Environment): YamlTree {
  if (text.length > TEXT_LENGTH_MAX)
    throw configError(name, [], `is larger than ${TEXT_LENGTH_MAX} characters`)
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    version: '1.2',
  })
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem !== undefined) {
    throw configError(`${name}:${lines.linePos(problem.pos[0]).line}`, [], problem.message)
  }
  const placeOf = (path: Path) => placeIn(document, lines, name, path)
  const fromEnvironment = new Set<string>()
  const expand = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => expand(item, [...path, i]))
    if (value instanceof Map) return expandMap(value, path, expand)
    if (typeof value !== 'string' || !value.includes('${')) return value
    const expanded = expandVariables(value, environment)
    if ('fault' in expanded) throw configError(placeOf(path), path, expanded.fault)
    fromEnvironment.add(path.join('.'))
    return expanded.text
  }
  return { root: expand(plainValues(document, name), []), placeOf, fromEnvironment }
}

/** Maps, not objects: a key named `__proto__` is a key like any other until the schema refuses it. */
function plainValues(document: Document, name: string): unknown {
  try {
    return document.toJS({ mapAsMap: true, maxAliasCount: ALIASES_MAX })
  } catch {
    throw configError(name, [], `uses more than ${ALIASES_MAX} aliases (*name); write the values out`)
  }
}

function expandMap(
  map: ReadonlyMap<unknown, unknown>,
  path: Path,
  expand: (value: unknown, path: Path) => unknown,
): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null)
  for (const [key, value] of map) object[String(key)] = expand(value, [...path, String(key)])
  return { ...object }
}

function placeIn(document: Document, lines: LineCounter, name: string, path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return `${name}:${lines.linePos(node.range[0]).line}`
  }
  return name
}
