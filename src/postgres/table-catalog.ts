import type {
  ReplicaIdentity,
  SourceColumn,
  SourceDatabase,
  SourceRow,
  SourceTable,
  SourceTableName,
} from '../../core/ports.ts'

type Asked = Pick<SourceDatabase, 'query'>

const IDENTITIES: Readonly<Record<string, ReplicaIdentity>> = {
  d: 'default',
  f: 'full',
  i: 'index',
  n: 'nothing',
}

const KINDS: Readonly<Record<string, SourceColumn['kind']>> = {
  b: 'base',
  e: 'enum',
  c: 'composite',
  r: 'range',
  m: 'multirange',
  p: 'pseudo',
}

/** Domains give way to what they stand on, whose numbers (`typtypmod`) the innermost of them knows. */
const COLUMNS = `
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier FROM pg_attribute a
   WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.modifier END
    FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
SELECT a.attname AS name, format_type(b.type, b.modifier) AS type, t.typtype AS kind, NOT a.attnotnull AS nullable,
       pg_get_expr(d.adbin, d.adrelid) AS default_expression, a.attgenerated <> '' AS generated,
       a.attidentity <> '' AS identity
  FROM pg_attribute a
  JOIN base b USING (attnum)
  JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum`

const TABLE = `
SELECT c.oid, c.relreplident AS identity, c.relkind = 'p' AS partitioned,
       (SELECT json_agg(a.attname ORDER BY k.place) FROM pg_index i
          CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
         WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts) AS key,
       (SELECT json_agg(a.attname ORDER BY k.place) FROM pg_index i
          CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
         WHERE i.indrelid = c.oid AND i.indisreplident AND k.place <= i.indnkeyatts) AS identity_columns,
       (SELECT json_agg(n2.nspname || '.' || c2.relname ORDER BY 1) FROM pg_partition_tree(c.oid) p
          JOIN pg_class c2 ON c2.oid = p.relid JOIN pg_namespace n2 ON n2.oid = c2.relnamespace
         WHERE p.isleaf AND c.relkind = 'p') AS partitions
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`

/** @returns `null` when there is no such table */
export async function readSourceTable(
  database: Asked,
  { schema, table }: SourceTableName,
): Promise<SourceTable | null> {
  const [found] = await database.query('catalog.table', TABLE, [schema, table])
  if (found === undefined) return null
  const columns = await database.query('catalog.columns', COLUMNS, [found['oid']!])
  return {
    schema,
    table,
    columns: columns.map(sourceColumn),
    key: names(found['key']),
    replicaIdentity: IDENTITIES[found['identity']!]!,
    identityColumns: names(found['identity_columns']),
    isPartitioned: isTrue(found['partitioned']),
    partitions: names(found['partitions']) ?? [],
  }
}

/** Rows as the planner estimates them, of a partitioned table the sum of its leaves; `null`: never analysed. */
export async function readRowEstimate(
  database: Asked,
  { schema, table }: SourceTableName,
): Promise<bigint | null> {
  const [row] = await database.query(
    'catalog.estimate',
    `SELECT sum(leaf.reltuples)::numeric AS rows, min(leaf.reltuples) >= 0 AS known
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_class leaf ON leaf.relkind = 'r'
        AND (leaf.oid = c.oid OR leaf.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))
      WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table],
  )
  return row !== undefined && isTrue(row['known']) ? BigInt(row['rows']!.split('.')[0]!) : null
}

/** Names of ordinary and partitioned tables outside the system's schemas, as `schema.table`, in order. */
export async function listSourceTables(database: Asked): Promise<readonly string[]> {
  const rows = await database.query(
    'catalog.tables',
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      ORDER BY 1`,
  )
  return rows.map((row) => row['name']!)
}

function sourceColumn(row: SourceRow): SourceColumn {
  return {
    name: row['name']!,
    type: row['type']!,
    kind: KINDS[row['kind']!]!,
    isNullable: isTrue(row['nullable']),
    defaultExpression: row['default_expression'] ?? null,
    isGenerated: isTrue(row['generated']),
    isIdentity: isTrue(row['identity']),
  }
}

function names(json: string | null | undefined): readonly string[] | null {
  return json == null ? null : (JSON.parse(json) as string[])
}

function isTrue(text: string | null | undefined): boolean {
  return text === 't'
}
