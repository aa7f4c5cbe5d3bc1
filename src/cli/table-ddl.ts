import { type Command, Option } from 'commander'
import { readerFeaturesOf } from '../../writers/delta/protocol.ts'
import type { DeltaTable } from '../../writers/table/delta-table.ts'
import { readSourceIdentity } from '../../writers/table-properties.ts'
import type { Lake } from '../config/config.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import {
  ENGINES,
  type EngineDdl,
  engineDdl,
  type QueryEngine,
  readersThatRefuse,
  type TableToTell,
} from './engine-ddl.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { printable, toJson } from './output.ts'
import { tableLocation } from './table-location.ts'

interface DdlOptions extends LakeOptions {
  readonly for: QueryEngine | 'all'
}

/** `alluvium table ddl NAME --for ENGINE` */
export function registerTableDdl(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'ddl <name>',
    summary: 'print how query engines are told of a table, and which cannot read it',
    example: 'table ddl inventory.customers --for duckdb',
  })
  withLakeOptions(command)
    .addOption(new Option('--for <engine>', 'the engine').choices([...ENGINES, 'all']).default('all'))
    .action(exiting(context, (name: string, options: DdlOptions) => ddl(name, options, context)))
}

async function ddl(name: string, options: DdlOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const table = tableToTell(await findTable(lake, name), lake.config.lake)
  const told =
    options.for === 'all'
      ? [...ENGINES.map((engine) => engineDdl(engine, table)), ...readersThatRefuse(table)]
      : [engineDdl(options.for, table)]
  const text = options.json === true ? told.map((each) => `${toJson(each)}\n`) : told.map(asSql)
  context.stdout.write(options.json === true ? text.join('') : text.join('\n'))
  return EXIT.ok
}

function tableToTell({ path, snapshot }: DeltaTable, lake: Lake): TableToTell {
  const folders = path.split('/')
  const table = folders.pop()!
  const source = readSourceIdentity(snapshot.metadata.configuration)
  return {
    schema: source?.schema ?? folders.join('_'),
    table: source?.table ?? (table === '' ? 'lake' : table),
    path,
    location: tableLocation(lake, path),
    features: readerFeaturesOf(snapshot.protocol),
  }
}

/** A script: what is to be known stands in comments. */
function asSql({ engine, canRead, statements, notes }: EngineDdl): string {
  const heading = `-- ${engine}${canRead ? '' : ': cannot read this table'}`
  const comments = notes.map((note) => `-- ${printable(note)}`)
  return [heading, ...comments, ...statements.map(printable)].map((line) => `${line}\n`).join('')
}
