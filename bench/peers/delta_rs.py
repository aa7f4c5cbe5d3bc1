"""delta-rs: MERGE (upsert and delete, change data feed on) or append of Arrow batches that are ready in memory."""
import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from contestant import serve
from deltalake import DeltaTable, write_deltalake

CONFIGURATION = {"delta.enableChangeDataFeed": "true"}
BATCH_ROWS = 131_072


def lay_base(base, table):
    """As fast as it can; not timed."""
    files = sorted((base / "base").glob("*.parquet"))
    schema = pq.read_schema(files[0])
    batches = (batch for file in files for batch in pq.read_table(file).cast(schema).to_batches(BATCH_ROWS))
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    write_deltalake(table, reader, configuration=CONFIGURATION)


class Merging:
    def __init__(self, table):
        self._table = DeltaTable(table)

    def apply(self, batch):
        columns = {name: f"s.{name}" for name in batch.column_names if name != "op"}
        merge = self._table.merge(batch, predicate="t.id = s.id", source_alias="s", target_alias="t")
        merge = merge.when_matched_delete(predicate="s.op = 'd'").when_matched_update(columns)
        merge.when_not_matched_insert(columns, predicate="s.op <> 'd'").execute()


class Appending:
    def __init__(self, table):
        self._location = table
        self._table = None

    def apply(self, batch):
        if self._table is None:
            write_deltalake(self._location, batch.drop_columns(["op"]), configuration=CONFIGURATION)
            self._table = DeltaTable(self._location)
        else:
            write_deltalake(self._table, batch.drop_columns(["op"]), mode="append")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True)
    parser.add_argument("--base", type=Path, help="lay these rows down; in a process of its own, so that memory is of batches")
    parser.add_argument("--data", type=Path, help="take batches from here")
    args = parser.parse_args()
    if args.base is not None:
        lay_base(args.base, args.table)
        return
    peer = Merging(args.table) if Path(args.table).exists() else Appending(args.table)
    serve(args.table, lambda index: net_changes(args.data, index), peer.apply)


def net_changes(data, index):
    return pq.read_table(data / "net" / f"b{index:05d}.parquet").drop_columns(["seq"])


if __name__ == "__main__":
    main()
