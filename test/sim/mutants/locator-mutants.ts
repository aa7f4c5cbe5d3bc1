import type { Mutant } from './mutant.ts'

/** What a machine remembers of the tables, and when it may be believed. */
export const LOCATOR_MUTANTS: readonly Mutant[] = [
  {
    name: 'saved-locator-of-an-older-version-believed',
    file: 'writers/locator/located-keys.ts',
    find: 'await this.follow(loaded, snapshot, source)',
    replacement: '',
    breaks: 'a locator is bound to a version, and brought up to the one that it meets',
    seed: 13,
  },
  {
    name: 'rows-in-newer-vectors-believed',
    file: 'writers/locator/files-to-read.ts',
    find: 'if (deleted !== null) files.setDeleted(file.path, deleted)',
    replacement: '',
    breaks: 'a row that was deleted after its entry was written is none',
    seed: 13,
  },
  {
    name: 'files-that-went-believed',
    file: 'writers/locator/files-to-read.ts',
    find: 'files.retain((path) => snapshot.files.has(path))',
    replacement: '',
    breaks: 'a row of a file that is not live is none',
    seed: 13,
  },
  {
    name: 'lost-run-not-missed',
    file: 'writers/locator/load-locator.ts',
    find: 'if (shelf.runs.length < saved.runs.length) {',
    replacement: 'if (shelf.runs.length < 0) {',
    breaks: 'a locator without one of its runs is no locator',
    seed: 1,
  },
  {
    name: 'filter-forgets-keys',
    file: 'writers/locator/run-filter.ts',
    find: 'for (let i = 0; i < BLOCK_WORDS; i++) {\n      if',
    replacement: 'if ((bits & 3) === 0) return false\n    for (let i = 0; i < BLOCK_WORDS; i++) {\n      if',
    breaks: 'a filter never denies a key that is there',
    seed: 1,
  },
  {
    name: 'older-run-before-newer',
    file: 'writers/locator/locator-keeper.ts',
    find: 'const runs = [run, ...shelf.runs]',
    replacement: 'const runs = [...shelf.runs, run]',
    breaks: 'of several entries of a key the newest counts',
    seed: 1,
  },
  {
    name: 'deleted-key-hides-nothing',
    file: 'writers/locator/key-locator.ts',
    find: 'if (this.#frozen === null && (this.disk?.shelf.runs.length ?? 0) === 0) {',
    replacement: 'if ((this.disk?.shelf.runs.length ?? 0) >= 0) {',
    breaks: 'a key that was deleted is not found in an older run',
    seed: 1,
  },
  {
    name: 'hash-key-not-kept',
    file: 'writers/locator/located-keys.ts',
    find: "this.#hasher = KeyHasher.withSecret(Buffer.from(saved.hashKey, 'hex'))",
    replacement: '',
    breaks: 'keys are looked up by the hash that they were put under',
    seed: 1,
  },
]
