"""The change events of a workload, in batches.

U: 70 % updates of keys drawn evenly from the live rows (1 % of them of rows inserted in the same batch), 20 % inserts,
   10 % deletes.
S: as U, but 80 % of the updates hit the newest 5 % of the ids, denser toward the newest.
A: inserts only.
"""
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rows import EPOCH_US, SCHEMA, rows, rows_json, text

FIRST_LSN = 24_000_000
ABSENT = -1
OP_RANK = {"c": 0, "u": 1, "d": 2}


@dataclass
class Batch:
    """Events in the order of the stream. `before` is the seq of the row that each event replaces."""

    index: int
    ops: np.ndarray
    ids: np.ndarray
    seqs: np.ndarray
    before: np.ndarray
    last_of_key: np.ndarray
    """Places of the events that are the last of their key, ascending."""


class ChangeStream:
    """Draws batches one after another; the same arguments draw the same."""

    def __init__(self, workload, base_rows, batch_count, batch_rows, seed):
        self.workload = workload
        self.base_rows = base_rows
        self.batch_count = batch_count
        self.batch_rows = batch_rows
        self.seed = seed
        deletes, inserts = (0, batch_rows) if workload == "A" else (batch_rows // 10, batch_rows // 5)
        self.deletes = deletes
        self.inserts = inserts
        self.updates = batch_rows - deletes - inserts
        capacity = base_rows + batch_count * inserts
        self.last_seq = np.full(capacity, ABSENT, np.int64)
        """seq of the last event of each id; `ABSENT` when the row is not there."""
        self.last_seq[:base_rows] = 0
        self._live = np.empty(capacity, np.int64)
        self._live[:base_rows] = np.arange(base_rows)
        self._live_count = base_rows

    def batches(self):
        random = np.random.default_rng(self.seed)
        next_id, next_seq = self.base_rows, 1
        for index in range(self.batch_count):
            new = np.arange(next_id, next_id + self.inserts)
            next_id += self.inserts
            seqs = np.arange(next_seq, next_seq + self.batch_rows)
            next_seq += self.batch_rows
            if self.workload == "A":
                ids, ops = new, np.full(self.batch_rows, "c")
            else:
                ids, ops = self._draw(random, new, next_id)
            yield self._apply(index, ops, ids, seqs)

    def _draw(self, random, new, next_id):
        """Keys and operations of one batch, in an order that a source could have had."""
        live = self._live
        places = random.choice(self._live_count, self.deletes, replace=False)
        deleted = live[places]
        updated = live[random.integers(0, self._live_count, self.updates)]
        if self.workload == "S":
            hot = int(self.updates * 0.8)
            age = (next_id // 20 * random.random(hot) ** 2).astype(np.int64)
            candidate = next_id - self.inserts - 1 - age
            updated[:hot] = np.where(self.last_seq[candidate] >= 0, candidate, updated[:hot])
        of_this_batch = self.updates // 100
        updated[-of_this_batch:] = random.choice(new, of_this_batch)

        ids = np.concatenate([updated, new, deleted])
        ops = np.repeat(["u", "c", "d"], [self.updates, self.inserts, self.deletes])
        order = random.permutation(self.batch_rows)
        self._replace_live(places, new)
        return ids[order], in_legal_order(ops[order], ids[order])

    def _replace_live(self, deleted_places, new):
        live = self._live
        for place in np.sort(deleted_places)[::-1]:
            self._live_count -= 1
            live[place] = live[self._live_count]
        live[self._live_count : self._live_count + self.inserts] = new
        self._live_count += self.inserts

    def _apply(self, index, ops, ids, seqs):
        by_id = np.argsort(ids, kind="stable")
        sorted_ids, sorted_seqs = ids[by_id], seqs[by_id]
        is_first = np.r_[True, sorted_ids[1:] != sorted_ids[:-1]]
        is_last = np.r_[is_first[1:], True]
        before = np.empty(self.batch_rows, np.int64)
        before[by_id] = np.where(is_first, self.last_seq[sorted_ids], np.r_[0, sorted_seqs[:-1]])
        left = np.where(ops[by_id][is_last] == "d", ABSENT, sorted_seqs[is_last])
        self.last_seq[sorted_ids[is_last]] = left
        return Batch(index, ops, ids, seqs, before, np.sort(by_id[is_last]))


def in_legal_order(ops, ids):
    """A key is created first and deleted last; the places of its events stay."""
    rank = np.select([ops == op for op in OP_RANK], list(OP_RANK.values()))
    legal = ops.copy()
    legal[np.argsort(ids, kind="stable")] = ops[np.lexsort((rank, ids))]
    return legal


def net_changes(batch, seed):
    """One row a key, its last event: what a peer is given. Columns other than the key are null in a delete."""
    places = batch.last_of_key
    ops, ids, seqs = batch.ops[places], batch.ids[places], batch.seqs[places]
    content = rows(ids, seqs, seed)
    is_delete = pa.array(ops == "d")
    columns = [
        content.column(field.name)
        if field.name == "id"
        else pc.if_else(is_delete, pa.scalar(None, field.type), content.column(field.name))
        for field in SCHEMA
    ]
    schema = pa.schema([("op", pa.string()), ("seq", pa.int64()), *SCHEMA])
    return pa.table([pa.array(ops.tolist()), pa.array(seqs), *columns], schema=schema)


def debezium_lines(batch, seed, before):
    """Key and value of each event in one line. `before`: `full` whole rows (REPLICA IDENTITY FULL), `key` keys alone."""
    is_delete, is_create = pa.array(batch.ops == "d"), pa.array(batch.ops == "c")
    nothing = pa.scalar("null")
    ids, seqs = text(batch.ids), batch.seqs
    after = rows_json(batch.ids, np.where(batch.ops == "d", 0, seqs), seed)
    if before == "full":
        image = pc.if_else(is_create, nothing, rows_json(batch.ids, batch.before, seed))
    else:
        others = ",".join(f'"{name}":null' for name in SCHEMA.names[1:])
        key_alone = pc.binary_join_element_wise('{"id":', ids, f",{others}}}", "")
        image = pc.if_else(is_delete, key_alone, nothing)
    time_ms = text(EPOCH_US // 1000 + seqs)
    return pc.binary_join_element_wise(
        *['{"key":{"id":', ids, '},"value":{"before":', image, ',"after":', pc.if_else(is_delete, nothing, after)],
        *[',"source":{"version":"3.2.0.Final","connector":"postgresql","name":"shop","ts_ms":', time_ms],
        *[',"snapshot":"false","db":"shop","sequence":null,"schema":"public","table":"orders"'],
        *[',"txId":', text(1000 + seqs // 10), ',"lsn":', text(FIRST_LSN + 64 * seqs)],
        *[',"xmin":null},"transaction":null,"op":"', pa.array(batch.ops.tolist()), '","ts_ms":', time_ms, "}}", ""],
    )
