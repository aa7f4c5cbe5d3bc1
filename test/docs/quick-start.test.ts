import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../support/lake-of-recording.ts'
import { pages, ROOT } from '../support/pages-of-the-project.ts'
import { runLine, runnableBlocks } from '../support/run-page.ts'

/** Each page begins in a folder where nobody was before; the runbook begins with a lake, and is run by a test of its own. */
const runnable = pages().filter((page) => page !== 'docs/runbook.md' && runnableBlocks(page).length > 0)

describe('the commands of a page that is followed from its top do what they say', () => {
  const home = process.cwd()
  let directory: string

  beforeEach(() => {
    directory = temporaryDirectory()
    process.chdir(directory)
    symlinkSync(join(ROOT, 'fixtures'), 'fixtures')
  })
  afterEach(() => {
    process.chdir(home)
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(runnable)('%s', async (page) => {
    const printed: string[] = []
    for (const line of runnableBlocks(page).flat()) printed.push(await runLine(line))
    expect(printed.filter((text) => text === '')).toEqual([])
  })
})

test('the README begins with such commands', () => {
  expect(runnable).toContain('README.md')
})

test('a command that fails, or that cannot be run here, is found out', async () => {
  await expect(runLine('alluvium table head nothing.there --lake ./nowhere')).rejects.toThrow('ended with 64')
  await expect(runLine('curl http://127.0.0.1:9464/')).rejects.toThrow('cannot run')
})
