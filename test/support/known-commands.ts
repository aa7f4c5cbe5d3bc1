import type { Command } from 'commander'
import { createProgram } from '../../src/cli/run-cli.ts'
import { memoryTerminal } from './cli-run.ts'
import { readMarkdown } from './markdown.ts'

/** Languages of blocks that hold no command lines, but in a comment. */
const NO_SHELL: ReadonlySet<string> = new Set(['ts', 'json', 'sql', 'properties', 'mermaid', 'python'])

const PROGRAM = String.raw`(?:npx )?alluvium|node dist/src/cli/main\.js`
/** At the beginning of a line of a block: behind a prompt or variables. */
const LINE = new RegExp(String.raw`^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:${PROGRAM}) +(.*)$`)
const CODE = new RegExp(`^(?:${PROGRAM}) (.*)$`)

/**
 * Calls of `alluvium …` in a text (a page, or a sentence with backquotes) that the command line does not know: another
 * command, an option that it does not have, more arguments than it takes.
 */
export function unknownCalls(text: string): readonly string[] {
  const program = newProgram()
  return callsIn(text).filter((call) => !isKnown(program, wordsOf(call)))
}

/** Without the name of the program. */
export function callsIn(text: string): readonly string[] {
  const { blocks, inlineCode } = readMarkdown(text)
  const lines = blocks
    .filter(({ language }) => !NO_SHELL.has(language))
    .flatMap((block) => block.text.replaceAll(/\\\n\s*/g, ' ').split('\n'))
  const calls = [
    ...lines.flatMap((line) => LINE.exec(line)?.[1] ?? []),
    ...inlineCode.flatMap((code) => CODE.exec(code)?.[1] ?? []),
  ]
  return calls.map((call) => call.replace(/\s+(?:#|>|\||&&|;).*$/, '').trim()).filter((call) => call !== '')
}

function newProgram(): Command {
  const terminal = memoryTerminal()
  const world = { stdout: terminal, stderr: terminal, environment: () => undefined, exitWith: () => {} }
  return createProgram(world, '0.0.0')
}

/** As a shell would split them; brackets of what may be left out are no part of a word. */
function wordsOf(call: string): readonly string[] {
  const words = call.replace('[options]', '').match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  return words.map((word) => (/^["']/.test(word) ? 'text' : word.replaceAll(/[[\]]/g, ''))).filter(Boolean)
}

function isKnown(program: Command, words: readonly string[]): boolean {
  let command = program
  for (const [i, word] of words.entries()) {
    if (word.startsWith('-') || command.commands.length === 0) return fits(command, words.slice(i))
    // `table pause|resume`: both of them are commands.
    const named = word.split('|').map((name) => command.commands.find((each) => each.name() === name))
    if (named.includes(undefined)) return fits(command, words.slice(i))
    command = named[0]!
  }
  return true
}

/** Whether a command has these options, and room for these arguments. */
function fits(command: Command, words: readonly string[]): boolean {
  let given = 0
  for (let i = 0; i < words.length && words[i] !== '--'; i++) {
    const word = words[i]!
    if (word === '…') continue
    if (!word.startsWith('-')) {
      given++
      continue
    }
    if (word === '--help' || word === '--version') continue
    const [name, value] = word.split('=')
    const option = command.options.find(({ long, short }) => name === long || name === short)
    if (option === undefined) return false
    if (option.required && value === undefined) i++
  }
  return (
    command.registeredArguments.some(({ variadic }) => variadic) ||
    given <= command.registeredArguments.length
  )
}
