"""Writes Delta tables on S3 with delta-rs. A request is `{"table", "do", …}`: `append` (rows), `delete` (where),
`merge` (rows, by id), `optimize` or `read`."""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "readers"))
from serve_requests import serve, take_stdout

ANSWERS = take_stdout()

import pyarrow as pa
from canonical_rows import table_rows
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError

ATTEMPTS_MAX = 30


def arrow_of(rows):
    schema = pa.schema([("id", pa.int64()), ("value", pa.string())])
    return pa.table({"id": [row[0] for row in rows], "value": [row[1] for row in rows]}, schema=schema)


def write(request):
    table = request["table"]
    match request["do"]:
        case "append":
            write_deltalake(table, arrow_of(request["rows"]), mode="append", schema_mode="merge")
        case "delete":
            DeltaTable(table).delete(request["where"])
        case "merge":
            merger = DeltaTable(table).merge(arrow_of(request["rows"]), "t.id = s.id", source_alias="s", target_alias="t")
            cells = {"id": "s.id", "value": "s.value"}
            merger.when_matched_update({"value": "s.value"}).when_not_matched_insert(cells).execute()
        case "optimize":
            DeltaTable(table).optimize.compact()


def answer(request):
    if request["do"] == "read":
        found = QueryBuilder().register("t", DeltaTable(request["table"])).execute("select * from t").read_all()
        columns, rows = table_rows(pa.table(found))
        return {"columns": columns, "rows": rows}
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            write(request)
            return {"attempts": attempt}
        except CommitFailedError:
            # Somebody was faster and touched the same files: decide again on the newest version.
            if attempt == ATTEMPTS_MAX:
                raise
            time.sleep(0.1)


serve(ANSWERS, answer)
