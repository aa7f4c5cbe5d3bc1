import { parseTableName, quoteName, quoteTable } from '../../../schemas/postgres-name.ts'
import type { CaptureSettings } from '../../config/upstream.ts'
import type { SourceFacts } from '../source-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('rights')

/** Whether the role that the connector logs in as may read what it is to read. @param role as the connector has it */
export function* checkRights(
  { roles, tables }: SourceFacts,
  settings: CaptureSettings,
  role: string,
  wanted: readonly string[],
): Found {
  const found = roles.get(role)
  if (found === undefined) {
    yield broken(
      'no-role',
      `there is no role ${role}`,
      'run `alluvium setup postgres`, or name the role in `postgres.role`',
    )
    return
  }
  if (!found.mayLogIn)
    yield broken('no-login', `${role} may not log in`, `run ALTER ROLE ${quoteName(role)} LOGIN;`)
  if (!found.mayReplicate && !found.isSuperuser) {
    yield broken(
      'no-replication',
      `${role} may not replicate`,
      `run ALTER ROLE ${quoteName(role)} REPLICATION;`,
    )
  }
  if (found.isSuperuser) {
    yield risk(
      'superuser',
      `the connector logs in as ${role}, a superuser`,
      `use a role that may do no more than it must: \`alluvium setup postgres\` makes ${settings.role}`,
    )
    return
  }
  const present = wanted.filter((name) => tables.has(name))
  const closed = new Set(
    present
      .filter((name) => !tables.get(name)!.schemaOpenTo.includes(role))
      .map((name) => parseTableName(name).schema),
  )
  for (const schema of closed) {
    yield broken(
      'no-usage',
      `${role} may not look into the schema ${schema}`,
      `run GRANT USAGE ON SCHEMA ${quoteName(schema)} TO ${quoteName(role)};`,
    )
  }
  for (const name of present.filter((name) => !tables.get(name)!.readableBy.includes(role))) {
    yield broken(
      'no-select',
      `${role} may not read ${name}, so that no snapshot of it can be taken`,
      `run GRANT SELECT ON ${quoteTable(parseTableName(name))} TO ${quoteName(role)};`,
    )
  }
}
