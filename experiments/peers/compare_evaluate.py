#!/usr/bin/env python3
"""Compare `experiment evaluate` with NumPy's numbers from the logits that `experiment logits` gives.

    python experiments/peers/compare_evaluate.py [--binary .build/release/experiment]

Trains bottleneck20 for two epochs on noisy arrays of its own, classes and a regression, and ends with an error where a number
differs by more than the rounding of the printed tables.
"""

import argparse
import csv
import pathlib
import subprocess
import tempfile

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--binary", default=".build/release/experiment")
binary = parser.parse_args().binary


def run(*arguments):
    subprocess.run([binary, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def check(name, ours, numpys):
    ours = float(ours)
    print(f"{name:10} {ours:.9g} {numpys:.9g}")
    # Tables have nine digits, or three decimals of percent; logits are in single precision.
    assert abs(ours - numpys) <= 1e-5 * max(1, abs(numpys)) + (0.0006 if name.startswith("top") else 0), name


random = np.random.default_rng(3)
patterns = random.normal(size=(7, 2, 9, 8)).astype(np.float32)
for isRegression in (False, True):
    folder = pathlib.Path(tempfile.mkdtemp())
    for split, count in (("train", 350), ("validation", 70), ("test", 210)):
        labels = np.arange(count) % 7
        images = patterns[labels] + 2 * random.normal(size=(count, 2, 9, 8)).astype(np.float32)
        np.save(folder / f"{split}_images.npy", images)
        if isRegression:
            np.save(folder / f"{split}_targets.npy", images.mean((2, 3)).astype(np.float32))
        else:
            np.save(folder / f"{split}_labels.npy", labels)
    weights, data = folder / "net.safetensors", f"npy:{folder}"
    run("train", "bottleneck20", "--data", data, "--epochs", 2, "--save", weights)
    run("evaluate", "bottleneck20", "--data", data, "--weights", weights, "--csv", folder / "e.csv",
        *([] if isRegression else ["--confusion", folder / "c.csv"]))
    train = np.load(folder / "train_images.npy").astype(np.float64)
    test = np.load(folder / "test_images.npy").astype(np.float64)
    mean, deviation = train.mean((0, 2, 3), keepdims=True), train.std((0, 2, 3), keepdims=True)
    np.save(folder / "x.npy", ((test - mean) / deviation).astype(np.float32))
    run("logits", "bottleneck20", "--weights", weights, "--input", folder / "x.npy", "--output", folder / "y.npy")
    logits = np.load(folder / "y.npy").astype(np.float64)
    head, *table = rows(folder / "e.csv")
    ours = dict(zip(head, table[0]))
    if isRegression:
        errors = logits - np.load(folder / "test_targets.npy")
        check("mse", ours["mse"], (errors**2).mean())
        check("mae", ours["mae"], abs(errors).mean())
        continue
    labels = np.load(folder / "test_labels.npy")
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    right = predicted == labels
    check("top1", ours["top1"], 100 * right.mean())
    check("top5", ours["top5"], 100 * (np.argsort(-logits, 1)[:, :5] == labels[:, None]).any(1).mean())
    check("loss", ours["loss"], -np.log(probabilities[np.arange(len(labels)), labels]).mean())
    bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    gaps = np.bincount(bins, right - confidence, 15)
    check("ece", ours["ece"], abs(gaps).sum() / len(labels))
    confusion = np.zeros((7, 7), int)
    np.add.at(confusion, (labels, predicted), 1)
    assert (np.array(rows(folder / "c.csv")[1:], int)[:, 1:] == confusion).all()
    for label, row in enumerate(table[1:]):
        check(f"top1 of {label}", dict(zip(head, row))["top1"], 100 * right[labels == label].mean())
print("all equal")
