"""Times of `experiment bench` and of functions, for the scripts that compare speeds."""

import csv
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def table(binary, *arguments):
    """The rows that a command of `experiment` writes to the file that its last option names."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        subprocess.run([binary, *arguments, file.name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(file.name, newline="") as text:
            return list(csv.DictReader(text))


def bench(binary, *arguments):
    """The rows of `experiment bench`."""
    return table(binary, "bench", *arguments, "--csv")


def fastest(work, seconds, least=3):
    """The shortest of the runs that fit into a time, in milliseconds."""
    work()
    best, start, runs = float("inf"), time.perf_counter(), 0
    while runs < least or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - before)
        runs += 1
    return 1000 * best
