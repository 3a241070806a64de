#!/usr/bin/env python3
"""What the goals for whole networks demand of a processor, beside what it can do.

    python experiments/peers/product_limit.py results/peers.csv

For each network in a table of `compare_speed.py`: the time of our multiply–adds at the measured peak (Winograd's
algorithms need fewer than the definition), nothing else counted; ours; and the time that the goal asks for. A goal
below the first number cannot be reached by the algorithms that are there, whatever else is made faster.
"""

import argparse
import csv
import math

from speed_works import PARTS
from timing import ROOT, bench, table


def share(algorithm, height, width):
    """The multiply–adds of an algorithm for each one of the definition."""
    side = {"winograd": 4, "winograd2": 2}.get(algorithm)
    if side is None:
        return 1
    return (side + 2) ** 2 * math.ceil(height / side) * math.ceil(width / side) / (9 * height * width)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="the table of compare_speed.py")
    parser.add_argument("--binary", default=str(ROOT / ".build/debug/experiment"))
    parser.add_argument("--instructions", default="avx512", help="whose rows: avx512 or avx2 (default: avx512)")
    arguments = parser.parse_args()
    with open(arguments.table, newline="") as file:
        measured = {
            (row["work"], row["threads"]): row for row in csv.DictReader(file)
            if row["instructions"] == arguments.instructions
        }
    print("| work | threads | products at the peak, ms | ours, ms | the goal, ms |\n|---|---|---|---|---|")
    for work in PARTS["models"]():
        row = measured.get((work.title, str(work.threads)))
        if row is None:
            continue
        threads = ("--threads", str(work.threads))
        model = work.ours[work.ours.index("--model") + 1]
        algorithms = {
            layer["layer"]: layer["algorithm"]
            for layer in table(arguments.binary, "bench", *work.ours, *threads, "--seconds", "0.1", "--layers")
        }
        whole = bench(arguments.binary, *work.ours, *threads, "--seconds", "1")[0]
        peak = float(whole["gflops"]) / float(whole["peak_fraction"])
        products = 0
        for layer in table(arguments.binary, "describe", model, "--csv"):
            if layer["layer"] == "total":
                continue
            extents = layer["output"].split("x")
            height, width = (int(extents[1]), int(extents[2])) if len(extents) == 3 else (1, 1)
            products += int(layer["macs"]) * share(algorithms.get(layer["layer"]), height, width)
        batch = int(whole["batch"])
        goal = float(row[row["best"]]) / float(row["goal"])
        print(
            f"| {work.title} | {work.threads} | {2e-6 * batch * products / peak:.4g} | {row['ours']} | {goal:.4g} |",
            flush=True)


if __name__ == "__main__":
    main()
