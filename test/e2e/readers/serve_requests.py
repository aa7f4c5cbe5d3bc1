"""The loop of a reader process: a request is a line of JSON on stdin, its answer a line of JSON on stdout.

A request holds `table` (a directory) and may hold `version` (read the rows of that version), `changesFrom` (read the
change feed from that version on, without `_commit_timestamp`: engines take it from different places) and `count`
(only say how many rows there are). An answer holds what the reader found, or `error`. The process ends with its stdin.
"""
import json
import os
import sys


def take_stdout():
    """Keeps stdout for answers: whatever a library prints goes to stderr. To be called before the library is imported."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def serve(answers, read):
    """`read` takes a request and returns its answer, a dict."""
    for line in sys.stdin:
        try:
            answer = read(json.loads(line))
        except BaseException as error:  # a panic in Rust arrives as a BaseException
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
        answers.flush()
