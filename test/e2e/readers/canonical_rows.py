"""One form for a row, whichever engine read it, so that equal rows are equal JSON.

long           text of its digits (a JSON number would be rounded on the other side)
short, integer JSON number
float, double  JSON number; NaN, Infinity and -Infinity are text; a float is widened to the double it stands for
decimal        text, with its scale: "1.500"
timestamp      "2024-02-29T12:34:56.123456Z", UTC, always six digits
timestamp_ntz  the same without the Z
date           "2024-02-29"
binary         "0x" and lower-case hexadecimal
struct         object; array: list; map: list of [key, value], ordered by key
"""
import datetime
import json
import math

import pyarrow as pa
import pyarrow.types as kind

_MICROS_PER = {"s": 1_000_000, "ms": 1_000, "us": 1}
_MICROS_PER_DAY = 86_400_000_000
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()


def table_rows(table):
    """Arrow table -> (column names, rows as lists of canonical cells in that order)."""
    columns = [_cells(table.column(i).combine_chunks()) for i in range(table.num_columns)]
    return table.column_names, [list(row) for row in zip(*columns)]


def _cells(array):
    t = array.type
    if isinstance(array, pa.ChunkedArray):  # combine_chunks of a column without chunks
        return [cell for chunk in array.chunks for cell in _cells(chunk)]
    if kind.is_dictionary(t):
        return _cells(array.dictionary_decode())
    if kind.is_timestamp(t):
        suffix = "" if t.tz is None else "Z"
        return [None if v is None else _instant(_micros(v, t.unit), suffix) for v in array.cast(pa.int64()).to_pylist()]
    if kind.is_map(t):
        return [_map_cell(array, i) for i in range(len(array))]
    if kind.is_struct(t):
        names = [t.field(i).name for i in range(t.num_fields)]
        members = [_cells(array.field(i)) for i in range(t.num_fields)]
        return [dict(zip(names, (m[i] for m in members))) if array[i].is_valid else None for i in range(len(array))]
    if kind.is_nested(t):
        return [_cells(s.values) if s.is_valid else None for s in array]
    return [_scalar(v, t) for v in array.to_pylist()]


def _map_cell(array, i):
    if not array[i].is_valid:
        return None
    start, end = array.offsets[i].as_py(), array.offsets[i + 1].as_py()
    pairs = zip(_cells(array.keys[start:end]), _cells(array.items[start:end]))
    return sorted(([k, v] for k, v in pairs), key=lambda pair: json.dumps(pair[0]))


def _scalar(value, t):
    if value is None:
        return None
    if kind.is_int64(t):
        return str(value)
    if kind.is_floating(t):
        return value if math.isfinite(value) else _not_finite(value)
    if kind.is_decimal(t):
        return format(value, "f")
    if kind.is_date(t):
        return value.isoformat()
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"no canonical form for {t}")


def _not_finite(value):
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _micros(value, unit):
    return value // 1_000 if unit == "ns" else value * _MICROS_PER[unit]


def _instant(micros, suffix):
    days, rest = divmod(micros, _MICROS_PER_DAY)
    day = datetime.date.fromordinal(days + _EPOCH_DAY)
    seconds, micros = divmod(rest, 1_000_000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{micros:06d}"
    return f"{day.isoformat()}T{clock}{suffix}"
