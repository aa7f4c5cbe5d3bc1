import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { editsOf, type Mutant, plant, plantedPath } from './mutant.ts'

const FOLDERS = ['core', 'schemas', 'writers', 'dq', 'src', 'test/support', 'test/sim']

/**
 * Compiles the sources once, in a folder of their own, each bug in a file beside the right one: a process chooses one of
 * them as it loads (`mutant-hook.ts`).
 *
 * @param root of the repository
 * @returns the folder that it was done in; the code is in `out`
 */
export function plantAll(root: string, mutants: readonly Mutant[]): string {
  const tree = mkdtempSync(join(tmpdir(), 'alluvium-mutants-'))
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)))
  for (const folder of folders) cpSync(join(root, folder), join(tree, folder), { recursive: true })
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(tree, file))
  for (const mutant of mutants) {
    for (const edit of editsOf(mutant)) {
      const source = readFileSync(join(root, edit.file), 'utf8')
      writeFileSync(join(tree, plantedPath(edit, mutant.name)), plant(source, edit, mutant.name))
    }
  }
  symlinkSync(resolve(root, 'node_modules'), join(tree, 'node_modules'), 'dir')
  const config = {
    extends: './tsconfig.json',
    // A bug may leave a name unused.
    compilerOptions: { noEmit: false, noCheck: true, outDir: 'out' },
    include: folders,
    exclude: ['**/*.test.ts'],
  }
  writeFileSync(join(tree, 'tsconfig.mutants.json'), JSON.stringify(config))
  const compiler = join(tree, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [compiler, '-p', join(tree, 'tsconfig.mutants.json')], { stdio: 'inherit' })
  cpSync(join(tree, 'package.json'), join(tree, 'out/package.json'))
  return tree
}
