"""The work that `compare_speed.py` times: for each row, what ours runs, what a peer runs, and the goal."""

import pathlib
import re
from dataclasses import dataclass, field

SHAPES = pathlib.Path(__file__).resolve().parents[1] / "shapes"
INFERENCE = ("eager", "channels-last", "compiler", "onnxruntime", "openvino", "ncnn")
EAGER = ("eager", "channels-last", "compiler")


@dataclass(frozen=True)
class Work:
    """One row of the table.

    `ours` are arguments of `experiment bench`; with several kernels, `kernel` names the row of its table that counts.
    `peer` names a maker in `speed_peer.py` and its arguments. `seconds` is how long each turn lasts. `avx2` is the
    goal of a row for AVX2, if there is one.
    """

    title: str
    part: str
    ours: tuple
    peer: tuple
    peers: tuple
    goal: float
    seconds: float
    kernel: str | None = None
    threads: int = 1
    avx2: float | None = None
    uses: int = field(default=0, compare=False)


def problems(name):
    for line in (SHAPES / name).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def convolutions():
    for line in problems("resnet50.txt"):
        name = re.search(r'"(.*)"', line).group(1).replace('"', "")
        yield Work(
            f"ResNet-50's convolution {name}", "convolutions", ("--problem", line), ("convolution", line), INFERENCE,
            1, 0.1, uses=int(re.search(r"\*(\d+)", line).group(1)))


def operators():
    lines = list(problems("operators.txt"))
    stages, others = lines[:3], lines[3:]
    for line, deformable in zip(stages, (2.5, 2, 1.5)):
        name = re.search(r'n"(.*)"', line).group(1)
        for kernel, goal in (
            ("deformable", deformable), ("deformable-v2", deformable), ("adder", 20), ("shift:pointwise=always", 1.3)
        ):
            peers = INFERENCE[:4] if kernel.startswith("deformable") else EAGER if kernel == "adder" else INFERENCE
            yield Work(
                f"{kernel} 3×3, {name}", "operators", ("--problem", line, "--conv", kernel), (kernel, line), peers, goal,
                0.3, kernel)
    goals = {"k7": 1.2, "k15": 8, "k31": 30}
    for line in others:
        name = re.search(r'n"(.*)"', line).group(1)
        title = "depthwise 3×3" if name.startswith("dw") else "64 → 64 at 56²"
        yield Work(
            f"{title}, {name}", "operators", ("--problem", line), ("convolution", line), INFERENCE, goals.get(name, 1.2),
            0.3)


def models():
    for model, batch, threads, goal in (
        ("resnet50", 1, 1, 1.25), ("resnet50", 1, 2, 1.25), ("resnet18", 1, 1, 1.6), ("resnet50", 16, 2, 1.15),
        ("mobilenet_v2", 1, 1, 1.15), ("resnext50_32x4d", 1, 1, 1.15),
    ):
        yield Work(
            f"{model}, batch {batch}", "models", ("--model", model, "--batch", str(batch)), ("model", model, batch),
            INFERENCE, goal, 2 if batch > 1 else 0.7, threads=threads,
            avx2={"resnet50": 1.25, "resnet18": 1.6}.get(model, goal) if batch == 1 else None)


def steps():
    for threads in (1, 2):
        yield Work(
            "training step: resnet20, batch 128", "steps",
            ("--model", "resnet20", "--batch", "128", "--pass", "training"), ("resnet20-step", 128), EAGER, 2, 1,
            threads=threads, avx2=1.5)
    for size in (24, 32):
        for kernel in ("standard", "dilated", "depthwise", "squeeze-excite", "shift", "deformable", "adder"):
            goal = 3 if kernel == "shift" else 5 if kernel in ("deformable", "adder") else 2
            yield Work(
                f"training step: bottleneck20 at {size}², batch 32, {kernel}", "steps",
                ("--model", "bottleneck20", "--conv", kernel, "--input", f"1x{size}x{size}", "--batch", "32", "--pass",
                 "training"),
                ("bottleneck20-step", kernel, size), EAGER, goal, 0.7, kernel,
                avx2=1.5 if kernel == "standard" else None)
    yield Work(
        "training step: resnet18 at 64², batch 32", "steps",
        ("--model", "resnet18", "--input", "3x64x64", "--batch", "32", "--pass", "training"), ("resnet18-step", 64),
        EAGER, 1.5, 2)


PARTS = {"convolutions": convolutions, "operators": operators, "models": models, "steps": steps}
