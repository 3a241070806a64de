#!/usr/bin/env python3
"""Time the newer operators here and in PyTorch, eager and compiled, on one shape, in turns.

    pip install torch torchvision numpy
    swift build && python experiments/peers/compare_operators_speed.py --csv results/operators2-speed.csv

One image of 64 channels of 28×28 pixels, in inference, on one thread. PyTorch runs the formulas of recent.py and kernels.py,
which the tests of values use too; `dcnv3` and `dcnv4` run here as the authors publish them for PyTorch, by `grid_sample`, written
anew from the formula, and must agree with recent.py. Normalisations have running statistics. PyTorch runs in NCHW and in
channels-last, and the faster one counts; compiled, its weights are frozen. In every round ours, eager and compiled are timed
one right after the other; a number is the median over the rounds of the rounds' minima, a ratio the median of the rounds'
ratios. `--only dcnv3,ghost` takes some. A machine file lies beside the CSV file.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import time

import kernels
import recent
import torch
import torch._inductor.config
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from kernels import conv, kernel
from timing import ROOT, bench, fastest

CHANNELS, SIZE = 64, 28
PROBLEM = f"mb1_ic{CHANNELS}ih{SIZE}oc{CHANNELS}oh{SIZE}kh3ph1"


def norm(x, w, name):
    """A batch normalisation in inference."""
    values = [w(f"{name}.{part}", x.shape[1]) for part in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(x, *values)


kernels.norm = recent.norm = norm


def published_dcn(softmax, shared=16):
    """DCNv3 (arXiv:2211.05778, equation 2) as its authors' PyTorch form computes it: every sample of every group by
    `grid_sample`, then the sums over the taps. DCNv4 (arXiv:2401.06197) is the same without the softmax."""

    def apply(x, w, o, s):
        (count, channels, height, width), z = x.shape, x
        groups = channels // shared
        if softmax:
            z = conv(x, w, "features.conv", channels, 3, 1, 1, channels, True).permute(0, 2, 3, 1)
            scale, shift = w("features.norm.weight", channels), w("features.norm.bias", channels)
            z = F.gelu(F.layer_norm(z, (channels,), scale, shift, 1e-6)).permute(0, 3, 1, 2)
        value = conv(x, w, "value", channels, bias=True).reshape(count * groups, shared, height, width)
        offset = conv(z, w, "offset", groups * 18, bias=True).reshape(count * groups, 9, 2, height, width)
        mask = conv(z, w, "mask", groups * 9, bias=True).reshape(count * groups, 1, 9, height * width)
        if softmax:
            mask = mask.softmax(2)
        taps = torch.arange(9)
        rows = torch.arange(height)[:, None] + (taps // 3 - 1)[:, None, None] + offset[:, :, 0]
        columns = torch.arange(width) + (taps % 3 - 1)[:, None, None] + offset[:, :, 1]
        grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1).flatten(2, 3)
        samples = F.grid_sample(value, grid, "bilinear", "zeros", align_corners=False)
        y = (samples * mask).sum(2).reshape(count, channels, height, width)
        return conv(y, w, "output", o, bias=True)

    return apply


OPERATORS = {
    "standard": kernel("standard"),
    "dcnv3": published_dcn(True), "dcnv4": published_dcn(False), "snake": recent.snake(),
    "partial": recent.partial(), "mixed-depthwise": recent.mixed_depthwise(), "pyramidal": recent.pyramidal(),
    "octave": recent.octave(), "wavelet": recent.wavelet(),
    "adder-l2": recent.adder_l2(), "max-plus": kernel("max-plus"), "morphological": recent.morphological(),
    "kan": recent.kan(),
    "binary": recent.changed(recent.Binary.apply),
    "ternary": recent.changed(lambda weight: recent.Rounded.apply(weight, recent.ternary)),
    "power-of-two": recent.changed(lambda weight: recent.Rounded.apply(weight, recent.power_of_two)),
    "central-difference": recent.central_difference(), "standardized": recent.standardized(),
    "repvgg": recent.repvgg(), "large-kernel": recent.large_kernel(), "condconv": recent.condconv(),
    "dynamic": recent.dynamic(), "odconv": recent.odconv(), "involution": recent.involution(),
    "ghost": recent.ghost(), "blueprint": recent.blueprint_subspace(), "star": recent.star(F.relu6),
    "eca": recent.eca(), "coordinate-attention": recent.coordinate_attention(),
}
GOALS = {"dcnv3": "≥ 5", "dcnv4": "≥ 5"}


class Operator(nn.Module):
    """A formula with parameters of its own, which are made when it first runs."""

    def __init__(self, function, x):
        super().__init__()
        self.function, self.names = function, {}
        torch.manual_seed(0)

        def make(name, *shape):
            if name not in self.names:
                self.names[name] = name.replace(".", "_")
                fan = max(1, torch.Size(shape[1:]).numel())
                value = torch.rand(shape) + 0.5 if "running_var" in name else torch.randn(shape) * fan**-0.5
                self.register_parameter(self.names[name], nn.Parameter(value, requires_grad=False))
            return getattr(self, self.names[name])

        function(x, make, CHANNELS, 1)

    def forward(self, x):
        return self.function(x, lambda name, *shape: getattr(self, self.names[name]), CHANNELS, 1)


def works(name, x):
    """What is timed of PyTorch: the eager forms, and the compiled one with how long it took to compile; or None and why."""
    operator = Operator(OPERATORS[name], x).eval()
    last = x.to(memory_format=torch.channels_last)
    expected = operator(x)
    if name.startswith("dcn"):
        other = recent.dcn(softmax=name == "dcnv3")(x, lambda n, *_: getattr(operator, operator.names[n]), CHANNELS, 1)
        torch.testing.assert_close(expected, other, rtol=1e-4, atol=1e-4)
    eager = [lambda: operator(x), lambda: operator(last)]
    torch._dynamo.reset()
    try:
        compiled = torch.compile(operator)
        torch.testing.assert_close(compiled(x), expected, rtol=1e-3, atol=1e-3)
        return eager, lambda: compiled(x), ""
    except Exception as error:  # whatever the compiler cannot do is said in the table
        return eager, None, f"does not compile: {type(error).__name__}"


def measured(binary, name, rounds, seconds):
    """A row of the table."""
    x = torch.randn(1, CHANNELS, SIZE, SIZE)
    eager, compiled, remark = works(name, x)
    times = []
    for _ in range(rounds):
        rows = bench(
            binary, "--threads", "1", "--problem", PROBLEM, "--conv", name, "--seconds", str(2 * seconds))
        own = next(float(row["time_ms_min"]) for row in rows if row["kernel"] == name)
        theirs = min(fastest(work, seconds) for work in eager)
        times.append((own, theirs, fastest(compiled, seconds) if compiled else None))

    def median(value):
        return f"{statistics.median(value(*t) for t in times):.3f}" if compiled or value(*times[0]) else ""

    return {
        "kernel": name, "ours_ms": median(lambda own, *_: own), "eager_ms": median(lambda _, theirs, __: theirs),
        "compiled_ms": median(lambda *t: t[2]), "eager_ratio": median(lambda own, theirs, _: theirs / own),
        "compiled_ratio": median(lambda own, _, fast: fast and fast / own), "goal": GOALS.get(name, ""),
        "remark": remark,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / ".build" / "debug" / "experiment"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.05, help="for each form of an operator, in a round")
    parser.add_argument("--only", help="kernels, separated by commas")
    parser.add_argument("--csv", help="where the table goes")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch._inductor.config.freezing = True
    names, rows = arguments.only.split(",") if arguments.only else list(OPERATORS), []
    with torch.no_grad():
        for name in names:
            rows.append(measured(arguments.binary, name, arguments.rounds, arguments.seconds))
            print(", ".join(f"{key} {value}" for key, value in rows[-1].items() if value), file=sys.stderr)
    columns = list(rows[0])
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for row in rows:
        print("| " + " | ".join(row.values()) + " |")
    if arguments.csv:
        output = pathlib.Path(arguments.csv)
        with open(output, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        machine = {
            "command": ["experiments/peers/compare_operators_speed.py", *sys.argv[1:]],
            "commit": subprocess.check_output(["git", "-C", str(ROOT), "rev-parse", "HEAD"], text=True).strip(),
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "packages": {"torch": torch.__version__, "torchvision": torchvision.__version__},
            "problem": PROBLEM, "rounds": arguments.rounds, "threads": 1,
        }
        output.with_suffix(".json").write_text(json.dumps(machine, indent=2) + "\n")


if __name__ == "__main__":
    main()
