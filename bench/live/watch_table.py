"""Looks at a table with delta-rs over and over, and prints a line whenever a new version can be read: when its newest row
had been read, and up to which offset of each partition the version goes. Ends when its input does."""
import argparse
import json
import os
import select
import sys
import time

from deltalake import DeltaTable, QueryBuilder


def open_when_there(location):
    while True:
        try:
            return DeltaTable(location)
        except Exception:  # not there yet
            if is_over():
                sys.exit(0)
            time.sleep(0.1)


def is_over():
    readable, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(readable)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True)
    parser.add_argument("--progress", nargs="+", required=True, help="names of the transactions that tell offsets")
    parser.add_argument("--every-ms", type=int, default=50)
    args = parser.parse_args()
    table = open_when_there(args.table)
    seen = -1
    while not is_over():
        table.update_incremental()
        version = table.version()
        if version == seen:
            time.sleep(args.every_ms / 1000)
            continue
        seen = version
        for _ in QueryBuilder().register("t", table).execute("select count(*), max(_cdc_ts) from t"):
            pass
        offsets = [table.transaction_version(name) for name in args.progress]
        line = {"atMs": time.time() * 1000, "version": version, "nextOffsets": offsets}
        os.write(1, (json.dumps(line) + "\n").encode())


if __name__ == "__main__":
    main()
