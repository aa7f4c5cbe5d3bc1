import { configShape, type JsonSchema } from '../../src/config/config-json-schema.ts'
import { ENVIRONMENT_NAMES } from '../../src/config/environment-reference.ts'
import { STARTER } from '../../src/config/starter.ts'

/** What stands for the key of a map, by where the map is. */
const MAP_KEYS: Readonly<Record<string, string>> = {
  pipelines: '<pipeline>',
  'pipelines.<pipeline>.tables': '<schema.table>',
  'pipelines.<pipeline>.tables.<schema.table>.columns': '<column>',
  'pipelines.<pipeline>.postgres.columns': '<schema.table>',
  'pipelines.<pipeline>.connector.config': '<property>',
  'dq.schedule': '<check>',
}

/** One key of the configuration. */
interface Row {
  readonly path: string
  readonly schema: JsonSchema
  readonly isNeeded: boolean
}

/** `docs/guide/configuration.md` */
export function configPage(): string {
  const rows = [...rowsOf(configShape(), '')]
  const sections = new Map<string, Row[]>()
  for (const row of rows) {
    const section = sectionOf(row.path)
    sections.set(section, [...(sections.get(section) ?? []), row])
  }
  return [
    INTRO,
    ...[...sections].map(([title, within]) => `## ${title}\n\n${keyTable(title, within)}`),
    environmentSection(),
    `## The starter\n\nWhat \`alluvium init\` writes:\n\n\`\`\`yaml\n${STARTER}\`\`\`\n`,
  ].join('\n')
}

const INTRO = `# Configuration

<!-- Made from the code by \`make pages\`; a test holds it. -->

One YAML file, \`alluvium.yaml\`, or what \`-c FILE\` names. \`alluvium init\` writes one to begin with, \`alluvium config check\` says what is wrong in one by line and
key, \`alluvium config print\` shows what it comes to, secrets left out. An unknown key is an error that names the nearest known one.

- **Variables**: \`\${NAME}\` must be set, \`\${NAME:default}\` (or \`\${NAME:-default}\`) may be missing; \`$\${\` is a plain \`\${\`. What was put in is not looked at again.
- **Precedence**: an option of the command, then the variables of the table below, then the file, then the default. Variables are those of the process, then those of \`.env\` in
  the working directory, then, for \`NAME\`, the content of the file that \`NAME_FILE\` points at.
- **Secrets** come from variables or files and are shown nowhere: not in logs, errors, metrics, health, dead letters or \`config print\`.
- **Profiles**: \`profile: prod\` refuses what \`dev\` warns of: secrets in the file, and networks in clear beyond this machine.
- **Editors** know the keys by the first line of the starter, \`# yaml-language-server: $schema=./alluvium.schema.json\`; \`alluvium config schema\` prints the schema.

Durations are texts such as \`500ms\`, \`1s\`, \`2m\`, \`7d\`; sizes such as \`64MB\` (1 KB is 1,024 bytes); lists may also be one text with commas, or JSON.
`

function sectionOf(path: string): string {
  const parts = path.split('.')
  const keys = ['source.kafka', 'tables.<schema.table>', 'postgres', 'connector']
  const found = keys.find((key) => path.startsWith(`pipelines.<pipeline>.${key}.`))
  if (found !== undefined) return `pipelines.<pipeline>.${found}`
  if (parts[0] === 'pipelines' && parts.length > 1) return 'pipelines.<pipeline>'
  return parts.length > 1 ? parts[0]! : 'The whole'
}

function keyTable(section: string, rows: readonly Row[]): string {
  const shorten = (path: string) => (path.startsWith(`${section}.`) ? path.slice(section.length + 1) : path)
  const lines = rows.map(
    ({ path, schema, isNeeded }) =>
      `| \`${shorten(path)}\` | ${typeOf(schema)} | ${isNeeded ? 'needed' : defaultOf(schema)} | ${cell(schema.description ?? '')} |`,
  )
  return `| key | form | default | |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`
}

function* rowsOf(schema: JsonSchema, at: string): Generator<Row> {
  const { properties = {}, required = [], additionalProperties } = schema
  for (const [key, inner] of Object.entries(properties)) {
    const path = at === '' ? key : `${at}.${key}`
    yield { path, schema: inner, isNeeded: required.includes(key) }
    yield* rowsOf(objectIn(inner), path)
  }
  if (typeof additionalProperties === 'object' && at in MAP_KEYS) {
    yield* rowsOf(additionalProperties, `${at}.${MAP_KEYS[at]}`)
  }
}

/** Of a choice, the one that has keys of its own. */
function objectIn(schema: JsonSchema): JsonSchema {
  return schema.anyOf?.find(({ properties }) => properties !== undefined) ?? schema
}

function typeOf({
  type,
  enum: choices,
  anyOf,
  items,
  properties,
  additionalProperties,
  ...rest
}: JsonSchema): string {
  if (rest.const !== undefined) return `\`${rest.const}\``
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ')
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(' or ')
  if (type === 'array') return items?.enum === undefined ? 'list' : `list of ${typeOf(items)}`
  if (properties !== undefined) return 'section'
  if (typeof additionalProperties === 'object') return 'map'
  return type === 'string' ? 'text' : type === 'integer' ? 'number' : (type ?? 'text')
}

function defaultOf({ without: fallback }: JsonSchema): string {
  if (fallback === undefined) return ''
  if (typeof fallback !== 'string') return cell(`\`${JSON.stringify(fallback)}\``)
  return / /.test(fallback) || fallback.startsWith('`') ? cell(fallback) : `\`${fallback}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

function environmentSection(): string {
  const lines = ENVIRONMENT_NAMES.map(
    ({ name, about, fallback }) =>
      `| ${name
        .split(', ')
        .map((each) => `\`${each}\``)
        .join(', ')} | ${about} | ${fallback} |`,
  )
  return `## Variables that stand above the file

Where several pipelines are configured, the URL of the source database fills in only what the file does not say. AWS credentials are read by the AWS chain
(\`AWS_ACCESS_KEY_ID\` and its companions). Every one of these may be given as \`NAME_FILE\`.

| variable | | without it |
| --- | --- | --- |
${lines.join('\n')}
`
}
