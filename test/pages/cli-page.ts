import type { Command, Option } from 'commander'
import { createProgram } from '../../src/cli/run-cli.ts'
import { memoryTerminal } from '../support/cli-run.ts'

/** `docs/guide/cli.md` */
export function cliPage(): string {
  const program = createProgram(
    {
      stdout: memoryTerminal(),
      stderr: memoryTerminal(),
      environment: () => undefined,
      exitWith: () => {},
    },
    '0.0.0',
  )
  const commands = [...leaves(program, 'alluvium')]
  const contents = commands.map(
    ({ title, command }) => `| [\`${title}\`](#${anchor(title)}) | ${command.description()} |`,
  )
  return `# Commands

<!-- Made from the code by \`make pages\`; a test holds it. -->

Every command knows \`--help\`, with an example, and \`--json\`. Exit codes: 0 ok · 1 failed · 2 found a difference or a problem · 3 could not tell · 64 bad usage.

| command | |
| --- | --- |
${contents.join('\n')}

${commands.map(section).join('\n')}`
}

interface Leaf {
  readonly title: string
  readonly command: Command
}

function* leaves(command: Command, title: string): Generator<Leaf> {
  for (const inner of command.commands) {
    const full = `${title} ${inner.name()}`
    if (inner.commands.length === 0) yield { title: full, command: inner }
    else yield* leaves(inner, full)
  }
}

function section({ title, command }: Leaf): string {
  const usage = `${title} ${command.usage()}`.replace(/^(alluvium .*) \[options\](.*)$/, '$1$2 [options]')
  return `## ${title}

${sentence(command.description())}

\`\`\`
${usage}
${exampleOf(command)}
\`\`\`

| option | |
| --- | --- |
${command.options.map(optionRow).join('\n')}
`
}

function optionRow(option: Option): string {
  const fallback =
    option.defaultValue === undefined
      ? ''
      : ` (default: \`${option.defaultValueDescription ?? option.defaultValue}\`)`
  return `| \`${option.flags}\` | ${option.description.replaceAll('|', '\\|')}${fallback} |`
}

/** What \`--help\` adds at its end. */
function exampleOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  return /\n {2}(\$ alluvium .*)/.exec(text)?.[1] ?? ''
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}

function anchor(title: string): string {
  return title.replaceAll(' ', '-')
}
