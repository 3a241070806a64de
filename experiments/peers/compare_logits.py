#!/usr/bin/env python3
"""Compare the logits of torchvision's and timm's networks with `experiment logits`, on random weights and statistics.

    pip install torch torchvision timm safetensors numpy
    swift build && python experiments/peers/compare_logits.py

Prints for each network and image size the largest difference relative to the largest logit, and the peak memory of
our process beside the size of the weights.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from networks import OTHERS, RESIDUAL, fill, peer, uniform
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]


def peak(command):
    """Runs a command and returns its peak resident megabytes."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6)"
    )
    return float(subprocess.check_output([sys.executable, "-c", script, *command]))


def main():
    print("| model | images | largest difference | weights MB | peak MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        weights, x, y = (str(pathlib.Path(folder) / name) for name in ("w.safetensors", "x.npy", "y.npy"))
        for model in RESIDUAL + OTHERS:
            network, stateful = peer(model, 21 if model == "deeplabv3_resnet50" else 1000)
            fill(stateful)
            network.eval()
            save_file(stateful.state_dict(), weights)
            for shape in ((1, 3, 224, 224), (2, 3, 97, 130)):
                images = uniform("images", shape, -1, 1)
                np.save(x, images.numpy())
                with torch.no_grad():
                    theirs = network.double()(images.double()).numpy()
                memory = peak([
                    str(ROOT / ".build/debug/experiment"), "logits", model, "--weights", weights,
                    "--input", x, "--output", y,
                ])
                error = np.abs(np.load(y) - theirs).max() / np.abs(theirs).max()
                size = 4e-6 * sum(parameter.numel() for parameter in network.parameters())
                sizes = "×".join(map(str, shape))
                print(f"| {model} | {sizes} | {error:.0e} | {size:.0f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
