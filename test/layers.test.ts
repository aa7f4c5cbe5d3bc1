import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

/** From the ground up: a folder imports only from itself and from those before it. */
const FLOORS = ['core', 'schemas', 'writers', 'dq', 'src'] as const
const ROOT = resolve(import.meta.dirname, '..')

interface Import {
  readonly specifier: string
  readonly isTypeOnly: boolean
}

interface Source {
  /** From the project's root: `writers/fold.ts`. */
  readonly path: string
  /** Without comments; texts stay. */
  readonly code: string
  readonly imports: readonly Import[]
}

const IMPORT =
  /\b(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*(?:type\s+)?['"]([^'"]+)['"]\s*\)/g

function sourcesIn(folder: string): Source[] {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readSource(join(folder, name)))
}

function readSource(path: string): Source {
  const code = withoutComments(readFileSync(join(ROOT, path), 'utf8'))
  const imports = [...code.matchAll(IMPORT)].map((found) => ({
    specifier: found[2] ?? found[3]!,
    isTypeOnly: found[1] !== undefined,
  }))
  return { path, code, imports }
}

/** Texts and regular expressions are kept, so that a `//` inside them begins no comment. */
function withoutComments(code: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g
  return code.replace(token, (found) => (found.startsWith('/*') || found.startsWith('//') ? ' ' : found))
}

function floorOf(path: string): number {
  return FLOORS.indexOf(path.split('/')[0] as (typeof FLOORS)[number])
}

function targetOf(source: Source, { specifier }: Import): string | null {
  return specifier.startsWith('.') ? normalize(join(dirname(source.path), specifier)) : null
}

const sources = FLOORS.flatMap(sourcesIn)
const tests = sourcesIn('test')

/** What offends, one line each; empty when all is well. */
function offences(within: readonly Source[], find: (source: Source) => readonly string[]): string[] {
  return within.flatMap((source) => find(source).map((what) => `${source.path}: ${what}`))
}

const isIo = ({ path }: Source) => path.startsWith('src/io/')
const outsideIo = sources.filter((source) => !isIo(source))

describe('the floors', () => {
  test('every file and every import is seen', () => {
    expect(sources.length).toBeGreaterThan(50)
    const store = readSource('src/io/local-store.ts')
    expect(store.imports).toContainEqual({ specifier: 'node:fs/promises', isTypeOnly: false })
    expect(store.imports).toContainEqual({ specifier: '../../core/ports.ts', isTypeOnly: true })
  })

  test('no folder imports one above it', () => {
    const upward = (source: Source) =>
      source.imports
        .filter((each) => floorOf(targetOf(source, each) ?? source.path) > floorOf(source.path))
        .map(({ specifier }) => specifier)
    expect(offences(sources, upward)).toEqual([])
  })

  test('relative imports end in .ts, name a file that exists, and stay on the floors', () => {
    const astray = (source: Source) =>
      source.imports
        .map((each) => ({ ...each, target: targetOf(source, each) }))
        .filter(({ target }) => target !== null)
        .filter(
          ({ target }) =>
            !target!.endsWith('.ts') || !existsSync(join(ROOT, target!)) || floorOf(target!) < 0,
        )
        .map(({ specifier }) => specifier)
    expect(offences(sources, astray)).toEqual([])
  })

  test('core stands on nothing', () => {
    const packages = (source: Source) =>
      source.imports.filter((each) => targetOf(source, each) === null).map(({ specifier }) => specifier)
    expect(offences(sourcesIn('core'), packages)).toEqual([])
  })

  test('only the wiring, the command line, the library and io itself know io', () => {
    // Commands are to people what the classes of `src/library` are to programs. A library's user makes a connection manager by its settings alone: the world is its default.
    const wiring = ['src/engine.ts', 'src/postgres/connection-manager.ts']
    const mayKnow = (path: string) =>
      wiring.includes(path) || ['src/cli/', 'src/library/', 'src/io/'].some((room) => path.startsWith(room))
    const knows = (source: Source) =>
      source.imports
        .filter((each) => targetOf(source, each)?.startsWith('src/io/'))
        .map(({ specifier }) => specifier)
    expect(
      offences(
        sources.filter(({ path }) => !mayKnow(path)),
        knows,
      ),
    ).toEqual([])
  })
})

describe('the world is met in src/io alone', () => {
  /** Modules of Node that only compute. */
  const COMPUTING = [
    'assert',
    'buffer',
    'crypto',
    'path',
    'path/posix',
    'string_decoder',
    'url',
    'util',
    'zlib',
  ].map((name) => `node:${name}`)
  /** Packages that only compute, for all; the others belong to one room. */
  const COMPUTING_PACKAGES = ['hyparquet', 'hyparquet-compressors', 'snappy', 'yaml', 'zod']
  const ROOM_OF: Readonly<Record<string, string>> = {
    commander: 'src/cli/',
    'cli-progress': 'src/cli/',
    'prom-client': 'src/ops/',
    hono: 'src/ops/',
    '@opentelemetry/api': 'src/ops/',
  }

  test('no other file imports a module that reaches outside', () => {
    const reaches = (source: Source) =>
      source.imports
        .filter((each) => targetOf(source, each) === null && !each.isTypeOnly)
        .map(({ specifier }) => specifier)
        .filter((name) => !COMPUTING.includes(name) && !COMPUTING_PACKAGES.includes(packageOf(name)))
        .filter((name) => !source.path.startsWith(ROOM_OF[packageOf(name)] ?? 'src/io/'))
    expect(offences(sources, reaches)).toEqual([])
  })

  test.each([
    ['the time', /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bhrtime\b/],
    ['a timer', /\b(?:setTimeout|setInterval|setImmediate)\s*\(/],
    [
      'dice',
      /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b|\brandomInt\b|\brandomFill/,
    ],
    ['the network', /(?<!async |[.\w])fetch\s*\(|\bnew (?:WebSocket|XMLHttpRequest|EventSource)\b/],
    ['code made of text', /\beval\s*\(|\bnew Function\s*\(/],
  ])('no other file uses %s', (_, used) => {
    expect(offences(outsideIo, ({ code }) => used.exec(code) ?? [])).toEqual([])
  })

  test('only the entry of the command line touches the process', () => {
    const touches = ({ code }: Source) => /\bprocess\.\w+/.exec(code) ?? []
    expect(
      offences(
        outsideIo.filter(({ path }) => path !== 'src/cli/main.ts'),
        touches,
      ),
    ).toEqual([])
  })

  function packageOf(specifier: string): string {
    return specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
  }
})

describe('names', () => {
  const VAGUE =
    /^(?:utils?|helpers?|common|shared|misc|types|interfaces|constants|managers?|handlers?|base|lib)$/

  test('no file or folder has a name that decides nothing', () => {
    const vague = ({ path }: Source) => path.split('/').filter((part) => VAGUE.test(basename(part, '.ts')))
    expect(offences([...sources, ...tests], vague)).toEqual([])
  })

  test('files are named in kebab-case', () => {
    const odd = ({ path }: Source) =>
      /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*\.ts$/.test(basename(path)) ? [] : [path]
    expect(offences([...sources, ...tests], odd)).toEqual([])
  })

  test('no file hands on all of another (a barrel hides where things are)', () => {
    const handsOn = ({ code }: Source) => /\bexport\s+\*\s+from\b/.exec(code) ?? []
    expect(offences(sources, handsOn)).toEqual([])
  })

  test('no error is thrown bare: an EngineError says the cure, an assertion says whose bug it is', () => {
    const bare = ({ code }: Source) => /\bthrow new (?:Error|TypeError|RangeError)\b/.exec(code) ?? []
    // Below `readParquet`, which wraps whatever a damaged page runs into, as it must for hyparquet's own errors.
    const wrapped = ['writers/parquet/byte-arrays.ts', 'writers/parquet/decode-values.ts']
    expect(
      offences(
        sources.filter(({ path }) => !wrapped.includes(path)),
        bare,
      ),
    ).toEqual([])
  })
})

describe('ARCHITECTURE.md', () => {
  const page = join(ROOT, 'ARCHITECTURE.md')

  test.runIf(existsSync(page))('every path it names exists', () => {
    const named = [...readFileSync(page, 'utf8').matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/?)`/g)].map(
      (found) => found[1]!,
    )
    const paths = named.filter((name) => name.includes('/') && existsSync(join(ROOT, name.split('/')[0]!)))
    expect(paths.length).toBeGreaterThan(10)
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })
})
