import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const readJson = (path: string) => JSON.parse(read(path))

interface LockedPackage {
  readonly hasInstallScript?: boolean
  readonly dev?: boolean
  readonly resolved?: string
  readonly integrity?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const manifest = readJson('package.json')
const lock = readJson('package-lock.json')
const locked = Object.entries(lock.packages as Record<string, LockedPackage>).filter(([path]) => path !== '')
const runtime = Object.keys(manifest.dependencies)

describe('package.json', () => {
  test('every dependency is pinned to one version', () => {
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version as string),
    )
    expect(loose).toEqual([])
  })

  test('the lock file holds the same versions', () => {
    expect(lock.packages[''].dependencies).toEqual(manifest.dependencies)
    expect(lock.packages[''].devDependencies).toEqual(manifest.devDependencies)
  })

  test('the licence is Apache-2.0, here and in LICENSE', () => {
    expect(manifest.license).toBe('Apache-2.0')
    expect(read('LICENSE')).toMatch(/Apache License\s+Version 2\.0, January 2004/)
    expect(manifest.files).toContain('LICENSE')
  })

  test('Node 20 is the floor, of us and of what runs with us', () => {
    expect(manifest.engines.node).toMatch(/^>=20\./)
    for (const name of runtime) {
      const wanted = String(readJson(`node_modules/${name}/package.json`).engines?.node ?? '>=0')
      expect(Number(/\d+/.exec(wanted)?.[0]), `${name} asks for Node ${wanted}`).toBeLessThanOrEqual(20)
    }
  })

  test('the tests can be run in the groups that the documents name', () => {
    const files = ['unit', 'integration', 'data-quality'].map((group) => {
      const paths = String(manifest.scripts[`test:${group}`]).match(/test\/\S+/g) ?? []
      return [group, paths.length > 0 && paths.every((path) => existsSync(join(ROOT, path)))]
    })
    expect(files).toEqual([
      ['unit', true],
      ['integration', true],
      ['data-quality', true],
    ])
  })

  test('there is one command, and it is what the build makes', () => {
    expect(manifest.bin).toEqual({ alluvium: 'dist/src/cli/main.js' })
    expect(read('src/cli/main.ts')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })
})

describe('what is installed', () => {
  test('each runtime dependency has its row in the decision record', () => {
    const record = read('docs/adr/0002-runtime-dependencies.md')
    expect(runtime.filter((name) => !record.includes(`| \`${name}\``))).toEqual([])
  })

  test('nothing at run time has an install script, so `npm ci --ignore-scripts` is enough', () => {
    expect(locked.filter(([, each]) => each.hasInstallScript && !each.dev).map(([path]) => path)).toEqual([])
  })

  test('the lock file knows the packages of every platform, without which `npm ci` refuses to run', () => {
    const wanted = locked.flatMap(([, each]) => Object.keys(each.optionalDependencies ?? {}))
    expect(wanted.filter((name) => lock.packages[`node_modules/${name}`] === undefined)).toEqual([])
  })

  test('the lock file has a checksum for every package and names no registry', () => {
    expect(locked.filter(([, each]) => each.integrity === undefined).map(([path]) => path)).toEqual([])
    expect(locked.filter(([, each]) => each.resolved !== undefined).map(([path]) => path)).toEqual([])
  })
})
