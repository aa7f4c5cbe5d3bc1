/** Engines that can be told of a table, by the names of `table ddl --for`. */
export const ENGINES = ['spark', 'databricks', 'trino', 'athena', 'duckdb'] as const
export type QueryEngine = (typeof ENGINES)[number]

/** A table as engines must be told of it. */
export interface TableToTell {
  /** Empty for a table outside of any schema. */
  readonly schema: string
  readonly table: string
  /** From the root of the lake. */
  readonly path: string
  /** An absolute path on this machine, or an address `s3://bucket/prefix`. */
  readonly location: string
  /** Reader features that the table's protocol lists. */
  readonly features: readonly string[]
}

export interface EngineDdl {
  readonly engine: string
  /** False when the engine cannot read the table where and as it is; the notes say why. */
  readonly canRead: boolean
  /** Statements to run there, each on lines of its own. */
  readonly statements: readonly string[]
  readonly notes: readonly string[]
}

/** What must be said to an engine, and what to know before. */
export function engineDdl(engine: QueryEngine, table: TableToTell): EngineDdl {
  switch (engine) {
    case 'spark':
      return sparkDdl(table)
    case 'databricks':
      return databricksDdl(table)
    case 'trino':
      return trinoDdl(table)
    case 'athena':
      return athenaDdl(table)
    case 'duckdb':
      return duckdbDdl(table)
    default:
      return engine satisfies never
  }
}

/** Readers without a DDL that refuse a table with these features (measured: delta-protocol §13). */
export function readersThatRefuse({ features }: TableToTell): EngineDdl[] {
  const readers: readonly (readonly [reader: string, refused: readonly string[]])[] = [
    ['delta-rs (QueryBuilder)', ['vacuumProtocolCheck']],
    ['delta-rs (to_pyarrow_table, to_pandas)', ['deletionVectors', 'v2Checkpoint', 'vacuumProtocolCheck']],
    ['polars', ['v2Checkpoint', 'vacuumProtocolCheck']],
  ]
  return readers.flatMap(([engine, refused]) => {
    const met = features.filter((feature) => refused.includes(feature))
    if (met.length === 0) return []
    return [{ engine, canRead: false, statements: [], notes: [`it refuses ${met.join(', ')}`] }]
  })
}

function sparkDdl(table: TableToTell): EngineDdl {
  const { schema, name, notes } = catalogNames(table)
  const location = isS3(table) ? table.location.replace(/^s3:/, 's3a:') : `file://${table.location}`
  return {
    engine: 'spark',
    canRead: true,
    statements: hiveStatements(
      'SCHEMA',
      schema,
      name,
      `TABLE`,
      `USING DELTA LOCATION ${escapedText(location)}`,
    ),
    notes: [
      ...notes,
      ...oldestReader(table, 'Delta Lake', {
        deletionVectors: '2.3',
        timestampNtz: '2.4',
        v2Checkpoint: '3.0',
      }),
    ],
  }
}

function databricksDdl(table: TableToTell): EngineDdl {
  const { schema, name, notes } = catalogNames(table)
  const store = onObjectStore(table)
  const statement = `USING DELTA LOCATION ${escapedText(store.location)}`
  const since = { deletionVectors: '12.2 LTS', timestampNtz: '13.3 LTS', v2Checkpoint: '13.3 LTS' }
  return {
    engine: 'databricks',
    canRead: store.canRead,
    statements: hiveStatements('SCHEMA', schema, name, 'TABLE', statement),
    notes: [...store.notes, ...notes, ...oldestReader(table, 'Databricks Runtime', since)],
  }
}

function trinoDdl(table: TableToTell): EngineDdl {
  const { schema, name, notes } = catalogNames(table, 'lower')
  const location = isS3(table) ? table.location : `file://${table.location}`
  const parts = { schema_name: schema, table_name: name, table_location: location }
  const args = Object.entries(parts).map(([key, value]) => `${key} => ${doubledText(value)}`)
  return {
    engine: 'trino',
    canRead: true,
    statements: [
      `CREATE SCHEMA IF NOT EXISTS delta.${quoted(schema, '"')};`,
      `CALL delta.system.register_table(${args.join(', ')});`,
    ],
    notes: [
      ...notes,
      '`delta` stands for your Delta Lake catalog, which needs delta.register-table-procedure.enabled=true',
      ...(isS3(table)
        ? []
        : ['every node must have the lake at this path, and the catalog must be allowed local files']),
    ],
  }
}

function athenaDdl(table: TableToTell): EngineDdl {
  const { schema, name, notes } = catalogNames(table, 'lower')
  const store = onObjectStore(table)
  const statement = `LOCATION ${escapedText(`${store.location}/`)} TBLPROPERTIES ('table_type' = 'DELTA')`
  const untold = table.features.filter((feature) => !ATHENA_FEATURES.includes(feature))
  const unread = untold.map((feature) => `its documentation does not say that it reads ${feature}`)
  return {
    engine: 'athena',
    canRead: store.canRead && untold.length === 0,
    statements: hiveStatements('DATABASE', schema, name, 'EXTERNAL TABLE', statement),
    notes: [...store.notes, ...notes, ...unread, 'needs engine version 3; run one statement at a time'],
  }
}

/** What its documentation says that it reads ("Query Linux Foundation Delta Lake tables"). */
const ATHENA_FEATURES: readonly string[] = ['columnMapping', 'deletionVectors', 'timestampNtz']

function duckdbDdl(table: TableToTell): EngineDdl {
  const isDecoded = !isS3(table) && table.location.includes('%')
  return {
    engine: 'duckdb',
    canRead: !isDecoded,
    statements: [
      'INSTALL delta; LOAD delta;',
      ...(isS3(table) ? ['CREATE SECRET (TYPE s3, PROVIDER credential_chain);'] : []),
      `SELECT * FROM delta_scan(${doubledText(table.location)});`,
    ],
    notes: isDecoded
      ? ['it takes a % in a path for an escape, and does not find the table: rename the directory']
      : [],
  }
}

function hiveStatements(
  container: string,
  schema: string,
  name: string,
  kind: string,
  rest: string,
): readonly string[] {
  const target = `${quoted(schema, '`')}.${quoted(name, '`')}`
  return [
    `CREATE ${container} IF NOT EXISTS ${quoted(schema, '`')};`,
    `CREATE ${kind} IF NOT EXISTS ${target} ${rest};`,
  ]
}

/** Some engines read object stores only: for a lake on a disk they are told what would be said there. */
function onObjectStore(table: TableToTell): {
  readonly location: string
  readonly canRead: boolean
  readonly notes: readonly string[]
} {
  if (isS3(table)) return { location: table.location, canRead: true, notes: [] }
  const note =
    'it reads object stores only, and this lake is on a disk: copy it to one, and put its address for s3://BUCKET'
  return { location: `s3://BUCKET/${table.path}`, canRead: false, notes: [note] }
}

function isS3({ location }: TableToTell): boolean {
  return location.startsWith('s3://')
}

/** Catalogs hold letters, digits and `_` only; some know no capitals. */
function catalogNames(
  { schema, table }: TableToTell,
  letters: 'as they are' | 'lower' = 'as they are',
): { readonly schema: string; readonly name: string; readonly notes: readonly string[] } {
  const catalogName = (text: string) => {
    const plain = text.replace(/[^A-Za-z0-9_]/g, '_')
    return letters === 'lower' ? plain.toLowerCase() : plain
  }
  const fitted = { schema: catalogName(schema) || 'default', name: catalogName(table) }
  const isSame = fitted.schema === (schema || 'default') && fitted.name === table
  const note = `its catalog cannot hold the name as it is in the source, so it is ${fitted.schema}.${fitted.name} there`
  return { ...fitted, notes: isSame ? [] : [note] }
}

/** The oldest version that reads all the features, as far as one is known. */
function oldestReader(
  { features }: TableToTell,
  product: string,
  since: Readonly<Record<string, string>>,
): readonly string[] {
  const met = features.filter((feature) => feature in since)
  if (met.length === 0) return []
  return [`needs ${met.map((feature) => `${product} ${since[feature]} or newer (${feature})`).join(', ')}`]
}

function quoted(name: string, mark: '`' | '"'): string {
  return mark + name.replaceAll(mark, mark + mark) + mark
}

/** A text for Trino and DuckDB. */
function doubledText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A text for Spark, Databricks and Athena's DDL: a backslash escapes there, and `''` would be two texts. */
function escapedText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
