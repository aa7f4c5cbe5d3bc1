"""Reads Delta tables with DuckDB and its delta extension, both from wheels. The extension reads no change feed."""
import importlib.util
from pathlib import Path

from serve_requests import serve, take_stdout

ANSWERS = take_stdout()

import duckdb
from canonical_rows import table_rows


def connect():
    package = Path(importlib.util.find_spec("duckdb_extension_delta").origin).parent
    extension = next(package.glob("extensions/*/delta.duckdb_extension"))
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


CONNECTION = connect()


def read(request):
    if "changesFrom" in request:
        raise ValueError("the delta extension of DuckDB reads no change feed")
    version = f", version = {request['version']}" if request.get("version") is not None else ""
    table = str(Path(request["table"]).resolve()).replace("'", "''")
    source = f"delta_scan('{table}'{version})"
    if request.get("count"):
        return {"count": CONNECTION.execute(f"select count(*) from {source}").fetchone()[0]}
    found = CONNECTION.execute(f"select * from {source}").to_arrow_table()
    columns, rows = table_rows(found)
    return {"count": found.num_rows, "columns": columns, "rows": rows}


serve(ANSWERS, read)
