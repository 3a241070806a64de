#!/usr/bin/env python3
"""Write the facts about initial weights that the Swift tests check, as torch.nn.init draws them.

    python experiments/peers/make_init_fixture.py

`Tests/NetworksTests/Fixtures/init.json` is a list of cases:

    item        as `--init` has it
    shape       of the weight, OIHW or [outputs, inputs]
    deviation   of PyTorch's draw, about 0
    largest     its largest absolute value
    gram        of orthogonal ones: the mean of the squared norms of the vectors that are orthonormal times the gain
"""

import json
import pathlib

import torch
from torch.nn import init

FILE = pathlib.Path(__file__).resolve().parents[2] / "Tests/NetworksTests/Fixtures/init.json"

RULES = {
    "he": lambda w: init.kaiming_normal_(w, nonlinearity="relu"),
    "he:fan=out": lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
    "he:distribution=uniform": lambda w: init.kaiming_uniform_(w, nonlinearity="relu"),
    "he:fan=out:distribution=uniform:gain=1": lambda w: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="linear"),
    "xavier": init.xavier_normal_,
    "xavier:distribution=uniform:gain=1.41": lambda w: init.xavier_uniform_(w, gain=1.41),
    "normal:deviation=0.03": lambda w: init.normal_(w, std=0.03),
    "truncated": lambda w: init.trunc_normal_(w, std=0.02, a=-0.04, b=0.04),
    "truncated:deviation=0.1:cut=1": lambda w: init.trunc_normal_(w, std=0.1, a=-0.1, b=0.1),
    "uniform:bound=0.2": lambda w: init.uniform_(w, -0.2, 0.2),
    "pytorch": lambda w: init.kaiming_uniform_(w, a=5**0.5),
    "orthogonal:gain=1.5": lambda w: init.orthogonal_(w, gain=1.5),
    "zeros": init.zeros_,
}

# Convolutions with more outputs than inputs and fewer, one in four groups, one that is not square, a linear layer.
SHAPES = [(96, 48, 3, 3), (40, 160, 3, 3), (128, 16, 3, 3), (64, 64, 1, 7), (100, 300)]


def case(item, shape):
    w = init.zeros_(torch.empty(shape, dtype=torch.float64))
    RULES[item](w)
    facts = {"item": item, "shape": shape, "deviation": w.square().mean().sqrt().item(), "largest": w.abs().max().item()}
    if item.startswith("orthogonal"):
        flat = w.flatten(1)
        facts["gram"] = (flat.square().sum() / min(flat.shape)).item()
    return facts


if __name__ == "__main__":
    torch.manual_seed(0)
    FILE.write_text(json.dumps([case(item, shape) for item in RULES for shape in SHAPES], separators=(",", ":")) + "\n")
