"""Measure what a user waits for: trained images a second in a sweep, and the time from a clone to the main job's table.

    pip install numpy
    python experiments/peers/measure_use.py --before /tmp/earlier/.build/debug/experiment
    python experiments/peers/measure_use.py --clone

The sweep trains `bottleneck20` with four operators on random 32×32 images of one channel, batch 32, one thread for each
of two networks at a time. Its numbers are the images that were trained on, over the trainings' seconds of one core
(`train_seconds`), and over the whole sweep's seconds of all cores, proxies and latencies included. With `--before`, an
earlier build does the same in turns. `--clone` clones this repository's commit into a temporary folder and runs
`swift run experiment --conv dilated` there.
"""

import argparse
import csv
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy

from timing import ROOT

TRAIN, TEST, EPOCHS, CORES = 960, 320, 2, 2


def write_data(folder):
    random = numpy.random.default_rng(0)
    for split, count in (("train", TRAIN), ("test", TEST)):
        labels = random.integers(0, 10, count)
        images = random.normal(size=(count, 1, 32, 32)) + labels[:, None, None, None] * 0.1
        numpy.save(folder / f"{split}_images.npy", images.astype(numpy.float32))
        numpy.save(folder / f"{split}_labels.npy", labels)
    (folder / "sweep.yaml").write_text(
        "kernels: [standard, dilated, depthwise, shift]\nmodels: bottleneck20\n"
        f"data: npy:{folder}\nseeds: 1\ntraining: {{epochs: {EPOCHS}, batch: 32}}\n")


def sweep(binary, folder):
    """Trained images per second of a core: in the trainings, and in the whole sweep."""
    with tempfile.TemporaryDirectory() as output:
        start = time.monotonic()
        subprocess.run(
            [binary, "sweep", str(folder / "sweep.yaml"), "--output", output, "--threads", str(CORES)], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        whole = time.monotonic() - start
        with open(pathlib.Path(output) / "networks.csv", newline="") as file:
            seconds = [float(row["train_seconds"]) for row in csv.DictReader(file)]
    images = len(seconds) * EPOCHS * TRAIN
    return images / sum(seconds), images / whole / CORES


def clone():
    """Seconds from a clone to the main job's table."""
    with tempfile.TemporaryDirectory() as place:
        start = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), f"{place}/workbench"], check=True)
        subprocess.run(
            ["swift", "run", "experiment", "--conv", "dilated"], cwd=f"{place}/workbench", check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / ".build/debug/experiment"))
    parser.add_argument("--before", help="an earlier build's binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clone", action="store_true", help="only the time from a clone to the main job's table")
    arguments = parser.parse_args()
    if arguments.clone:
        print(f"clone to table: {clone():.0f} s")
        return
    binaries = {"before": arguments.before, "ours": arguments.binary}
    found = {name: [] for name, binary in binaries.items() if binary}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_data(folder)
        for _ in range(arguments.rounds):
            for name in found:
                found[name].append(sweep(binaries[name], folder))
    for index, what in enumerate(("trainings", "whole sweep")):
        values = {name: [round_[index] for round_ in rounds] for name, rounds in found.items()}
        line = ", ".join(f"{name} {statistics.median(all_):.0f}" for name, all_ in values.items())
        if "before" in values:
            ratio = statistics.median(own / other for own, other in zip(values["ours"], values["before"]))
            line += f", ratio {ratio:.2f}"
        print(f"images per second and core, {what}: {line}")


if __name__ == "__main__":
    main()
