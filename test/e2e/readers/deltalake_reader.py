"""Reads Delta tables with delta-rs (its DataFusion engine) or, with the argument `polars`, with polars."""
import json
import sys

from serve_requests import serve, take_stdout

ANSWERS = take_stdout()

import polars
import pyarrow as pa
from canonical_rows import table_rows
from deltalake import DeltaTable, QueryBuilder


def read_with_delta_rs(table):
    # QueryBuilder, because DeltaTable.to_pyarrow_table refuses deletion vectors.
    return pa.table(QueryBuilder().register("t", table).execute("select * from t").read_all())


def read_with_polars(table):
    return polars.scan_delta(table).collect().to_arrow()


def read_changes(table, start):
    changes = pa.table(table.load_cdf(starting_version=start).read_all())
    return changes.drop_columns(["_commit_timestamp"])


def answer(read_rows):
    def read(request):
        table = DeltaTable(request["table"], version=request.get("version"))
        protocol = table.protocol()
        if "changesFrom" in request:
            found = read_changes(table, request["changesFrom"])
        else:
            found = read_rows(table)
        out = {
            "version": table.version(),
            "protocol": {
                "minReaderVersion": protocol.min_reader_version,
                "minWriterVersion": protocol.min_writer_version,
                "features": sorted({*(protocol.reader_features or []), *(protocol.writer_features or [])}),
            },
            "schema": json.loads(table.schema().to_json()),
            "configuration": table.metadata().configuration,
            "count": found.num_rows,
        }
        if not request.get("count"):
            out["columns"], out["rows"] = table_rows(found)
        return out

    return read


serve(ANSWERS, answer(read_with_polars if sys.argv[1:] == ["polars"] else read_with_delta_rs))
