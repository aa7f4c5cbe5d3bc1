"""Writes a workload to a directory; the same arguments write the same bytes.

base/part-NNNNN.parquet     the rows that the table begins with, a million a file (`--base`)
net/bNNNNN.parquet          a batch as the peers get it: one row a key
json/bNNNNN.jsonl           the same batch as Debezium JSON
meta.json                   the arguments, written last
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from changes import ChangeStream, debezium_lines, net_changes
from rows import rows

BASE_FILE_ROWS = 1_000_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices="USA", default="U")
    parser.add_argument("--n", type=int, default=1_000_000, help="rows that the table begins with")
    parser.add_argument("--k", type=int, default=20, help="batches")
    parser.add_argument("--b", type=int, default=10_000, help="events a batch")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--before", choices=["full", "key"], default="full")
    parser.add_argument("--base", action="store_true", help="the base rows alone, which all workloads share")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def write_base(directory, count, seed):
    directory.mkdir(parents=True, exist_ok=True)
    for index, start in enumerate(range(0, count, BASE_FILE_ROWS)):
        ids = np.arange(start, min(count, start + BASE_FILE_ROWS))
        pq.write_table(rows(ids, np.zeros_like(ids), seed), directory / f"part-{index:05d}.parquet")


def write_batch(out, batch, seed, before):
    name = f"b{batch.index:05d}"
    pq.write_table(net_changes(batch, seed), out / "net" / f"{name}.parquet")
    lines = debezium_lines(batch, seed, before).to_pylist()
    (out / "json" / f"{name}.jsonl").write_bytes("\n".join(lines).encode() + b"\n")


def write_changes(out, args):
    base_rows = 0 if args.workload == "A" else args.n
    for part in ("net", "json"):
        (out / part).mkdir(parents=True, exist_ok=True)
    stream = ChangeStream(args.workload, base_rows, args.k, args.b, args.seed)
    for batch in stream.batches():
        write_batch(out, batch, args.seed, args.before)
    live = int((stream.last_seq >= 0).sum())
    meta = {
        **{"workload": args.workload, "n": base_rows, "k": args.k, "b": args.b},
        **{"seed": args.seed, "before": args.before, "live": live},
    }
    (out / "meta.json").write_text(json.dumps(meta))


def main():
    args = arguments()
    started = time.monotonic()
    if args.base:
        write_base(args.out / "base", args.n, args.seed)
    else:
        write_changes(args.out, args)
    print(f"{args.out.name}: generated in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
