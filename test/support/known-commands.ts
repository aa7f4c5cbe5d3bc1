import type { Command } from 'commander'
import { createProgram } from '../../src/cli/run-cli.ts'
import { memoryTerminal } from './cli-run.ts'

/**
 * Calls of \`alluvium …\` in a text, between backquotes or at the beginning of a line, that the command line does not know:
 * another command, or an option that it does not have.
 */
export function unknownCalls(text: string): readonly string[] {
  const terminal = memoryTerminal()
  const program = createProgram(
    { stdout: terminal, stderr: terminal, environment: () => undefined, exitWith: () => {} },
    '0.0.0',
  )
  const calls = [...text.matchAll(/(?:^|`|\$ )\s*alluvium ([a-z][^`\n#>]*)/gm)].map((found) =>
    found[1]!.trim(),
  )
  return calls.filter((call) => !isKnown(program, call.split(' ')))
}

function isKnown(program: Command, words: readonly string[]): boolean {
  let command = program
  for (const [i, word] of words.entries()) {
    const next = command.commands.find((each) => word.split('|').includes(each.name()))
    if (next === undefined) return command.commands.length === 0 && hasOptions(command, words.slice(i))
    command = next
  }
  return true
}

function hasOptions(command: Command, words: readonly string[]): boolean {
  const options = words.filter((word) => word.startsWith('-') && word !== '--')
  return options.every((word) => command.options.some(({ long, short }) => word === long || word === short))
}
