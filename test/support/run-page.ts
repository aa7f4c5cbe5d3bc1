import { cpSync } from 'node:fs'
import { runCommand } from './cli-run.ts'
import { readMarkdown } from './markdown.ts'
import { readPage } from './pages-of-the-project.ts'

/**
 * The lines of each block of a page that is marked `run`, comments taken off. What a page takes for granted stands in a
 * comment before them, which readers do not see: `<!-- run: make ingest -->`.
 */
export function runnableBlocks(page: string): readonly (readonly string[])[] {
  const text = readPage(page)
  const before = [...text.matchAll(/^<!-- run: (.*) -->$/gm)].map(([, line]) => [line!])
  const blocks = readMarkdown(text)
    .blocks.filter(({ flag }) => flag === 'run')
    .map(({ text: block }) => block.split('\n').map((line) => line.replace(/\s+#.*$/, '').trim()))
    .map((lines) => lines.filter((line) => line !== ''))
  return [...before, ...blocks]
}

/**
 * Runs one line of a page in the working directory: a command of ours, inside this process, or what a person does with
 * files around it.
 *
 * @returns what it printed
 */
export async function runLine(line: string): Promise<string> {
  const [program, ...words] = line.split(/\s+/)
  switch (program) {
    case 'alluvium':
      return runOurs(words)
    case 'node':
      if (words[0] === 'dist/src/cli/main.js') return runOurs(words.slice(1))
      break
    case 'make':
      return runLine(recipeOf(words[0]!))
    case 'cp':
      cpSync(words.at(-2)!, words.at(-1)!, { recursive: true })
      return ''
  }
  throw new TypeError(`a page tells to run what this cannot run: ${line}`)
}

async function runOurs(argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(argv)
  if (exitCode !== 0) throw new TypeError(`alluvium ${argv.join(' ')} ended with ${exitCode}: ${stderr}`)
  return stdout
}

/** The first line of a target of the Makefile, its variables at their defaults. */
function recipeOf(target: string): string {
  const makefile = readPage('Makefile')
  const line = new RegExp(`^${target}:.*\\n\\t(.*)$`, 'm').exec(makefile)![1]!
  return line.replaceAll(
    /\$\((\w+)\)/g,
    (_, name) => new RegExp(`^${name} \\?= (.*)$`, 'm').exec(makefile)![1]!,
  )
}
