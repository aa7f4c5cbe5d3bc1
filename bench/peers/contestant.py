"""A peer as a contestant: takes orders on its input, a JSON object a line, and answers with lines of JSON, as our own
engine does (`bench/engine/engine-process.ts`). Only the merge or append itself is timed."""
import contextlib
import json
import os
import sys
import time
from pathlib import Path

PARTS = ("data", "vectors", "feed", "log")


def part_of(path):
    if "_delta_log" in path.parts:
        return "log"
    if "_change_data" in path.parts:
        return "feed"
    return "vectors" if path.suffix == ".bin" else "data"


class NewFiles:
    """Files under a table that were not there when it was last asked."""

    def __init__(self, table):
        self._table = Path(table)
        self._seen = set()
        self.take()

    def take(self):
        """@return (bytes by part, files)"""
        sizes = dict.fromkeys(PARTS, 0)
        files = 0
        for folder, _, names in os.walk(self._table):
            for name in names:
                path = Path(folder, name)
                if path in self._seen or name.endswith(".crc"):
                    continue
                self._seen.add(path)
                sizes[part_of(path.relative_to(self._table))] += path.stat().st_size
                files += 1
        return sizes, files


def process_tree():
    """This process and what it started."""
    pids = [os.getpid()]
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
                pids += [int(child) for child in (thread / "children").read_text().split()]
    return pids


def cpu_seconds():
    ticks = 0
    for pid in process_tree():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_memory_mb():
    kilobytes = 0
    for pid in process_tree():
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                kilobytes += int(line.split()[1])
    return round(kilobytes / 1024)


class Watch:
    def __enter__(self):
        self._start = (time.perf_counter(), cpu_seconds())
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self._start[0]
        self.cpu_seconds = cpu_seconds() - self._start[1]


def serve(table, prepare, apply):
    """@param prepare batch number -> what is handed to the peer, not timed
    @param apply does the work"""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    new_files = NewFiles(table)

    def answer(line):
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    answer({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        if "end" in order:
            answer({"end": True, "peakMemoryMb": peak_memory_mb()})
            return
        first, last = order["batches"]
        for index in range(first, last + 1):
            batch = prepare(index)
            with Watch() as watch:
                apply(batch)
            sizes, files = new_files.take()
            spent = {"seconds": round(watch.seconds, 6), "cpuSeconds": round(watch.cpu_seconds, 3)}
            answer({"batch": index, **spent, "bytes": sizes, "files": files})
