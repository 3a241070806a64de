#!/usr/bin/env python3
"""Time dcnv3 and dcnv4 beside the published PyTorch form: grid_sample, masks, a sum over the taps.

    python experiments/peers/compare_dcn.py EXPERIMENT [--rounds N]

EXPERIMENT is the program, built. One thread, forward passes at batch 1; both take turns, and each line gives the medians in
milliseconds and their ratio. PyTorch runs eagerly.
"""

import argparse
import csv
import statistics
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn

SHAPES = [(64, 56), (128, 28), (256, 14)]


class DCN(nn.Module):
    """3×3, stride 1, groups of 16 channels; positions in units of pixels, zeros outside."""

    def __init__(self, channels, version):
        super().__init__()
        self.version, self.groups = version, channels // 16
        self.value, self.output = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)
        self.offset, self.mask = nn.Conv2d(channels, self.groups * 18, 1), nn.Conv2d(channels, self.groups * 9, 1)
        if version == 3:
            self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
            self.norm = nn.LayerNorm(channels, 1e-6)

    def forward(self, x):
        n, channels, height, width = x.shape
        z = x
        if self.version == 3:
            z = F.gelu(self.norm(self.depthwise(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        offset = self.offset(z).view(n * self.groups, 9, 2, height, width)
        mask = self.mask(z).view(n * self.groups, 9, height, width)
        if self.version == 3:
            mask = mask.softmax(1)
        taps = torch.arange(9)
        row = torch.arange(height).view(1, 1, -1, 1) + (taps // 3 - 1).view(1, -1, 1, 1) + offset[:, :, 0]
        column = torch.arange(width).view(1, 1, 1, -1) + (taps % 3 - 1).view(1, -1, 1, 1) + offset[:, :, 1]
        grid = torch.stack([2 * column / (width - 1) - 1, 2 * row / (height - 1) - 1], -1)
        value = self.value(x).view(n * self.groups, 16, height, width)
        read = F.grid_sample(value, grid.flatten(1, 2), "bilinear", "zeros", align_corners=True)
        y = (read.view(n * self.groups, 16, 9, height, width) * mask[:, None]).sum(2)
        return self.output(y.reshape(n, channels, height, width))


def torch_time(layer, x):
    with torch.inference_mode():
        layer(x)
        times = []
        for _ in range(15):
            start = time.perf_counter()
            layer(x)
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def own_time(program, item, channels, size):
    with tempfile.TemporaryDirectory() as folder:
        problem = f"mb1ic{channels}ih{size}oc{channels}oh{size}kh3ph1"
        subprocess.run([program, "bench", "--conv", item, "--problem", problem, "--threads", "1", "--csv", f"{folder}/a.csv"],
                       check=True, capture_output=True)
        rows = list(csv.DictReader(open(f"{folder}/a.csv")))
    return next(float(r["time_ms_median"]) for r in rows if r["kernel"] == item and r["pass"] == "inference")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("experiment")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for version in (3, 4):
        for channels, size in SHAPES:
            layer, x = DCN(channels, version).eval(), torch.randn(1, channels, size, size)
            pairs = [(torch_time(layer, x), own_time(arguments.experiment, f"dcnv{version}", channels, size))
                     for _ in range(arguments.rounds)]
            theirs, ours = (statistics.median(p) for p in zip(*pairs))
            ratio = statistics.median(a / b for a, b in pairs)
            print(f"dcnv{version} {channels}@{size}²: PyTorch {theirs:.2f}, here {ours:.2f}, {ratio:.1f} times")
