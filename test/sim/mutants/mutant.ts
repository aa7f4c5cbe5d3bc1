import type { Site } from '../loop/faults.ts'

/** One text of one source file, and what stands there instead. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replacement: string
}

/** A bug that somebody could write. */
export interface Mutant extends Edit {
  readonly name: string
  /** In another file, where a second line of defence has to fall too. */
  readonly also?: Edit
  /** The rule that it breaks, and what follows. */
  readonly breaks: string
  /** The loop is asked, with faults at these sites (none: its clean run alone), and no seed is. */
  readonly sites?: readonly Site[]
  /** The play of a month is asked, and no seed is. */
  readonly byMonth?: true
  /** Found it the last time that somebody looked: tried before all others. */
  readonly seed?: number
}

/** The file with the bug in it. */
export function plant(source: string, { file, find, replacement }: Edit, name: string): string {
  const at = source.indexOf(find)
  if (at < 0 || source.indexOf(find, at + 1) >= 0) {
    throw new TypeError(`${name}: the text to replace does not stand in ${file} exactly once`)
  }
  return source.slice(0, at) + replacement + source.slice(at + find.length)
}

export function editsOf(mutant: Mutant): readonly Edit[] {
  return mutant.also === undefined ? [mutant] : [mutant, mutant.also]
}

/** Where the file with the bug lies, beside the right one. */
export function plantedPath({ file }: Edit, name: string): string {
  return file.replace(/\.ts$/, `.${name}.ts`)
}
