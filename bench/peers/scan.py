"""Times how long a reader takes to read every cell of a Delta table, several times in a row. Prints one line of JSON."""
import argparse
import importlib.util
import json
import time
from pathlib import Path


def delta_rs():
    import deltalake
    from deltalake import DeltaTable, QueryBuilder

    def scan(table, columns):
        rows = 0
        for batch in QueryBuilder().register("t", DeltaTable(table)).execute(f"select {columns} from t"):
            rows += batch.num_rows
        return rows

    return scan, deltalake.__version__


def duck_db():
    import duckdb

    # From its wheel: nothing is downloaded.
    package = Path(importlib.util.find_spec("duckdb_extension_delta").origin).parent
    extension = next(package.glob("extensions/*/delta.duckdb_extension"))
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute(f"load '{extension}'")

    def scan(table, columns):
        # Every column is needed, and no row leaves the engine.
        query = f"select count(*), max(hash({columns})) from delta_scan('{table}')"
        return connection.execute(query).fetchone()[0]

    return scan, duckdb.__version__


def spark_sql(jars, scratch):
    from spark import start_spark

    spark = start_spark(jars, scratch)

    def scan(table, columns):
        row = spark.sql(f"select count(*), max(xxhash64({columns})) from delta.`{table}`").collect()[0]
        return row[0]

    return scan, spark.version


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", choices=["delta-rs", "duckdb", "spark"], required=True)
    parser.add_argument("--tables", nargs="+", required=True, help="read in turns")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--columns", default="id, customer, status, amount, qty, note, updated_at, flag")
    parser.add_argument("--jars", type=Path)
    args = parser.parse_args()
    if args.reader == "spark":
        scan, version = spark_sql(args.jars, Path(f"{args.tables[0]}.scratch"))
    else:
        scan, version = delta_rs() if args.reader == "delta-rs" else duck_db()
    seconds = {table: [] for table in args.tables}
    rows = {}
    # The first of each only warms up.
    for turn in range(args.times + 1):
        for table in args.tables:
            started = time.perf_counter()
            rows[table] = scan(table, args.columns)
            if turn > 0:
                seconds[table].append(round(time.perf_counter() - started, 4))
    tables = [{"rows": rows[table], "seconds": seconds[table]} for table in args.tables]
    print(json.dumps({"reader": args.reader, "version": version, "tables": tables}))


if __name__ == "__main__":
    main()
