#!/usr/bin/env python3
"""Train ResNet-20 on the embedded digits here and in PyTorch, from the same weights on the same batches.

    pip install torch torchvision safetensors numpy
    swift build && python experiments/peers/compare_training.py

Prints the losses of 50 steps (batches of 32 in the data's order, SGD at 0.01, momentum 0.9, weight decay 1e-4): ours, and
PyTorch's in single and in double precision. Training amplifies rounding, so that all three part in time.
"""

import csv
import pathlib
import subprocess
import tempfile

import torch
from make_network_fixtures import ROOT, SPLIT, curve
from networks import CifarResNet, fill
from safetensors.torch import save_file


def ours():
    with tempfile.TemporaryDirectory() as folder:
        weights, log = pathlib.Path(folder) / "start.safetensors", pathlib.Path(folder) / "log.csv"
        save_file(fill(CifarResNet(20, channels=1)).state_dict(), str(weights))
        subprocess.run(
            [
                str(ROOT / ".build/debug/experiment"), "train", "resnet20", "--data", f"digits:split={SPLIT}", "--weights", str(weights),
                "--shuffle", "off", "--augment", "off", "--smoothing", "0", "--schedule", "constant",
                "--warm-up", "0", "--rate", "0.01", "--no-nesterov", "--weight-decay", "1e-4", "--epochs", "2",
                "--steps", "50", "--log", str(log),
            ],
            check=True, stdout=subprocess.DEVNULL,
        )
        with open(log, newline="") as file:
            return [float(row["loss"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    torch.set_num_threads(2)
    single, double = curve(torch.float32), curve(torch.float64)
    print("| step | ours | PyTorch, single | PyTorch, double |\n|---|---|---|---|")
    for step, row in enumerate(zip(ours(), single, double), 1):
        if step in (1, 2, 5) or step % 10 == 0:
            print(f"| {step} | " + " | ".join(f"{loss:.5f}" for loss in row) + " |")
