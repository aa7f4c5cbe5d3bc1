import type { Site } from '../loop/faults.ts'

/** A bug that somebody could write: one text of one source file, and what stands there instead. */
export interface Mutant {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replacement: string
  /** The rule that it breaks, and what follows. */
  readonly breaks: string
  /** The loop is asked, with faults at these sites (none: its clean run alone), and no seed is. */
  readonly sites?: readonly Site[]
}

/** The file with the bug in it. */
export function plant(source: string, { name, file, find, replacement }: Mutant): string {
  const at = source.indexOf(find)
  if (at < 0 || source.indexOf(find, at + 1) >= 0) {
    throw new TypeError(`${name}: the text to replace does not stand in ${file} exactly once`)
  }
  return source.slice(0, at) + replacement + source.slice(at + find.length)
}

/** Where the file with the bug lies, beside the right one. */
export function plantedPath({ file, name }: Mutant): string {
  return file.replace(/\.ts$/, `.${name}.ts`)
}
