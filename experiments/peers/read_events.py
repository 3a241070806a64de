#!/usr/bin/env python3
"""Read what `--tensorboard` writes by TensorBoard's own reader, and compare it with the CSV files.

    pip install tensorboard
    swift build && python experiments/peers/read_events.py

Trains a small network with a log, stops and resumes it, and runs a small sweep. Every scalar must be that of the log, and of
training.csv, to single precision. `--write` prints the two events of Tests/ExperimentsTests/EventLogTests.swift as TensorBoard's
writer makes them, in base64. Exits with 1 at a difference.
"""

import argparse
import base64
import csv
import io
import pathlib
import subprocess
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = str(ROOT / ".build/debug/experiment")
SWEEP = "kernels: [shift]\nmodels: bottleneck20\nlatency: false\nproxies: false\nseeds: 2\ntraining: {epochs: 2}\n"


def written():
    file = io.BytesIO()
    writer = RecordWriter(file)
    values = [Summary.Value(tag="train/loss", simple_value=0.25), Summary.Value(tag="test/top1", simple_value=97)]
    for event in [
        Event(wall_time=1.5, file_version="brain.Event:2"),
        Event(wall_time=2.5, step=300, summary=Summary(value=values)),
    ]:
        writer.write(event.SerializeToString())
    return base64.b64encode(file.getvalue()).decode()


def scalars(folder):
    """The values of a run, by tag and step."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: {event.step: event.value for event in events.Scalars(tag)} for tag in events.Tags()["scalars"]}


def compare(found, rows, step, columns):
    """Whether the values are those of a table's cells; the number of them."""
    count = 0
    for tag, column in columns.items():
        expected = {int(row[step]): float(row[column]) for row in rows if row[column]}
        values = found.get(tag, {})
        assert values.keys() == expected.keys(), (tag, values.keys() ^ expected.keys())
        for place, value in expected.items():
            # Cells have five digits, or three decimals of a percentage; scalars are in single precision.
            allowed = 2e-5 * abs(value) + (5e-4 if "accuracy" in tag else 0)
            assert abs(values[place] - value) <= allowed, (tag, place, values[place], value)
        count += len(expected)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="print the events of the test")
    if parser.parse_args().write:
        print(written())
        return
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        train = [
            PROGRAM, "train", "resnet20", "--data", "synthetic", "--epochs", "2", "--save", str(place / "net.safetensors"),
            "--log", str(place / "log.csv"), "--tensorboard", str(place / "events"), "--quiet"]
        subprocess.run([*train, "--steps", "7"], check=True)
        subprocess.run([*train, "--resume", str(place / "net.safetensors")], check=True)
        files = list((place / "events").iterdir())
        assert len(files) == 2, files
        count = compare(scalars(place / "events"), list(csv.DictReader(open(place / "log.csv"))), "step", {
            "train/loss": "loss", "train/accuracy": "accuracy", "train/rate": "rate",
            "validation/accuracy": "validation_accuracy", "validation/loss": "validation_loss"})
        print(f"train: {count} scalars of {len(files)} files are those of the log")

        (place / "sweep.yaml").write_text(SWEEP)
        subprocess.run([
            PROGRAM, "sweep", str(place / "sweep.yaml"), "--output", str(place / "out"), "--tensorboard", str(place / "runs"),
            "--quiet"], check=True)
        rows = list(csv.DictReader(open(place / "out/training.csv")))
        count = 0
        for kernel in ("standard", "shift"):
            for seed in "01":
                (folder,) = (place / "runs/bottleneck20/digits" / kernel).glob(f"seed-{seed}-*")
                own = [row for row in rows if row["kernel"] == kernel and row["seed"] == seed]
                count += compare(scalars(folder), own, "epoch", {
                    "train/loss": "train_loss", "train/accuracy": "train_top1", "train/rate": "rate",
                    "validation/accuracy": "validation_top1", "validation/loss": "validation_loss",
                    "test/accuracy": "test_top1", "test/loss": "test_loss"})
        print(f"sweep: {count} scalars are those of training.csv")


if __name__ == "__main__":
    main()
