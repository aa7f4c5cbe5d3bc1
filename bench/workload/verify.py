"""Compares a Delta table, read by delta-rs, with what the first batches of a workload must have left: every column of
every row. Prints {"verified": true} or the reason why not."""
import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder

from changes import ABSENT
from rows import SCHEMA, rows


def expected_seqs(data, meta, batches):
    """id -> seq of its last event."""
    last = np.full(meta["n"] + meta["k"] * meta["b"] + 1, ABSENT, np.int64)
    last[: meta["n"]] = 0
    for index in range(batches):
        net = pq.read_table(data / "net" / f"b{index:05d}.parquet", columns=["op", "id", "seq"])
        is_delete = pc.equal(net["op"], "d").to_numpy()
        last[net["id"].to_numpy()] = np.where(is_delete, ABSENT, net["seq"].to_numpy())
    return last


def difference(stored, expected):
    """The first column in which two tables of the same ids differ; `None` when they do not."""
    for field in SCHEMA:
        found = stored[field.name].cast(field.type)
        wanted = expected[field.name]
        is_same = pc.or_kleene(pc.equal(found, wanted), pc.and_(pc.is_null(found), pc.is_null(wanted)))
        wrong = len(found) - (pc.sum(pc.fill_null(is_same, False)).as_py() or 0)
        if wrong > 0:
            return f"{wrong} wrong values in {field.name}"
    return None


def verify(batches, last, seed):
    """@return `True`, or what is wrong"""
    seen = np.zeros(len(last), bool)
    for batch in batches:
        stored = pa.table(batch) if not isinstance(batch, pa.RecordBatch) else pa.Table.from_batches([batch])
        if stored.num_rows == 0:
            continue
        ids = stored["id"].to_numpy()
        if ids.min() < 0 or ids.max() >= len(last) or (last[ids] == ABSENT).any():
            return "there are rows that should not be there"
        if seen[ids].any() or len(np.unique(ids)) != len(ids):
            return "there are rows twice"
        seen[ids] = True
        wrong = difference(stored, rows(ids, last[ids], seed))
        if wrong is not None:
            return wrong
    missing = int((last != ABSENT).sum() - seen.sum())
    return True if missing == 0 else f"{missing} rows are missing"


def read_rows(table):
    columns = ", ".join(SCHEMA.names)
    for batch in QueryBuilder().register("t", DeltaTable(table)).execute(f"select {columns} from t"):
        yield pa.record_batch(batch)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--batches", type=int, required=True, help="of the workload that the table has taken in")
    args = parser.parse_args()
    meta = json.loads((args.data / "meta.json").read_text())
    last = expected_seqs(args.data, meta, args.batches)
    print(json.dumps({"verified": verify(read_rows(args.table), last, meta["seed"])}))


if __name__ == "__main__":
    main()
