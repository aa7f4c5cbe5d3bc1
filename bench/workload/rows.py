"""What a row holds: a pure function of (seed, id, seq). seq 0 is the base row, seq n the n-th change event.

So the final state of a table is known from {id -> seq of its last event} alone, and every column of every row can be
computed anew by whoever checks it.
"""
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# 2026-01-01T00:00:00Z, when event 0 would have happened.
EPOCH_US = 1_767_225_600_000_000
DAY_US = 86_400_000_000
CUSTOMER_COUNT = 50_000
STATUSES = pa.array(["new", "paid", "picked", "shipped", "delivered", "returned"])
CUSTOMERS = pa.array([f"cust-{i:05d}" for i in range(CUSTOMER_COUNT)])
# Some need escapes in JSON, some are not ASCII.
VOCABULARY = (
    "alpha river stone cloud amber quiet forest signal copper harbor window garden silver marble candle ribbon "
    "orchid pepper saddle timber velvet walnut yellow zephyr anchor beacon canyon desert engine falcon glacier hammer "
    "island jacket kettle ladder mirror needle orange pillow quartz rocket spiral tunnel urchin valley wagon yarn "
    'back\\slash tab\tbed café Zürich naïve 東京 "quoted" order late gift box call first leave at door'
).split(" ")
WORDS = pa.array(VOCABULARY)
WORDS_IN_JSON = pa.array([json.dumps(word, ensure_ascii=False)[1:-1] for word in VOCABULARY])

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        ("customer", pa.string()),
        ("status", pa.string()),
        ("amount", pa.decimal128(12, 2)),
        ("qty", pa.int32()),
        ("note", pa.string()),
        ("updated_at", pa.timestamp("us", tz="UTC")),
        ("flag", pa.bool_()),
    ]
)


def mixed(numbers):
    """The finaliser of splitmix64."""
    x = numbers.astype(np.uint64)
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def values_of(ids, seqs, seed):
    """The columns as numpy arrays, words and choices still as numbers."""
    ids = np.asarray(ids, np.int64)
    seqs = np.asarray(seqs, np.int64)
    with np.errstate(over="ignore"):
        low = mixed(
            ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            + seqs.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
            + np.uint64(seed)
        )
        high = mixed(low + np.uint64(0x632BE59BD9B4E019))

    def part(bits, shift, below):
        return ((bits >> np.uint64(shift)) % np.uint64(below)).astype(np.int64)

    changed_us = EPOCH_US + seqs * 1000 + part(high, 50, 1000)
    return {
        "id": ids,
        "customer": (mixed(ids) % np.uint64(CUSTOMER_COUNT)).astype(np.int32),
        "status": part(low, 0, 6).astype(np.int32),
        "cents": part(low, 8, 10_000_000),
        "qty": part(low, 36, 1000).astype(np.int32),
        "flag": part(low, 50, 2).astype(bool),
        "has_no_note": part(low, 52, 50) == 0,
        "words": [part(high, 9 * i, len(VOCABULARY)).astype(np.int32) for i in range(6)],
        "updated_us": np.where(seqs > 0, changed_us, EPOCH_US - DAY_US + ids % DAY_US),
    }


def sentence(vocabulary, words):
    return pc.binary_join_element_wise(*[vocabulary.take(pa.array(each)) for each in words], " ")


def rows(ids, seqs, seed):
    """An Arrow table of `SCHEMA`."""
    values = values_of(ids, seqs, seed)
    count = len(values["id"])
    # Two words of 64 bits each; no amount is negative, so the upper one is 0.
    unscaled = np.zeros((count, 2), np.int64)
    unscaled[:, 0] = values["cents"]
    amount = pa.Array.from_buffers(pa.decimal128(12, 2), count, [None, pa.py_buffer(unscaled)])
    nothing = pa.scalar(None, pa.string())
    columns = [
        pa.array(values["id"]),
        CUSTOMERS.take(pa.array(values["customer"])),
        STATUSES.take(pa.array(values["status"])),
        amount,
        pa.array(values["qty"]),
        pc.if_else(pa.array(values["has_no_note"]), nothing, sentence(WORDS, values["words"])),
        pa.array(values["updated_us"]).cast(pa.timestamp("us", tz="UTC")),
        pa.array(values["flag"]),
    ]
    return pa.table(columns, schema=SCHEMA)


def text(numbers):
    return pc.cast(pa.array(numbers), pa.string())


def rows_json(ids, seqs, seed):
    """Each row as Debezium writes it in `before` and `after` (decimals as text, times in microseconds)."""
    values = values_of(ids, seqs, seed)
    quote = pa.scalar('"')
    note = pc.binary_join_element_wise(quote, sentence(WORDS_IN_JSON, values["words"]), quote, "")
    note = pc.if_else(pa.array(values["has_no_note"]), pa.scalar("null"), note)
    return pc.binary_join_element_wise(
        *['{"id":', text(values["id"])],
        *[',"customer":"', CUSTOMERS.take(pa.array(values["customer"]))],
        *['","status":"', STATUSES.take(pa.array(values["status"]))],
        *['","amount":"', text(values["cents"] // 100), ".", pc.utf8_lpad(text(values["cents"] % 100), 2, "0")],
        *['","qty":', text(values["qty"])],
        *[',"note":', note],
        *[',"updated_at":', text(values["updated_us"])],
        *[',"flag":', text(values["flag"]), "}", ""],
    )
