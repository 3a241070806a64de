#!/usr/bin/env python3
"""Measure PyTorch, torchvision and ONNX Runtime beside `experiment bench`, on the same shapes, in turns.

    pip install torch torchvision onnx onnxruntime numpy
    swift build && python experiments/peers/compare_speed.py --output results/peers.csv

In every round each piece of work is timed here and there, one right after the other; a number is the median over the
rounds of the rounds' minima, a ratio (peer / ours) the median of the rounds' ratios. PyTorch runs in NCHW and in
channels-last, and the faster one counts. Prints a Markdown table and writes it as CSV, with the machine in a JSON
file beside it. `--only` takes a part: convolutions, operators, models, steps, memory.
"""

import argparse
import csv
import json
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
import torchvision
from bottleneck_network import bottleneck20
from networks import CifarResNet

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHAPES = ROOT / "experiments" / "shapes"


def fastest(work, seconds=0.15, least=3):
    """The shortest of the runs that fit into a time, in milliseconds."""
    work()
    best, start, runs = float("inf"), time.perf_counter(), 0
    while runs < least or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - before)
        runs += 1
    return 1000 * best


def bench(binary, *arguments):
    """The rows of `experiment bench`."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        subprocess.run(
            [binary, "bench", "--csv", file.name, *arguments], check=True, stdout=subprocess.DEVNULL
        )
        with open(file.name, newline="") as text:
            return list(csv.DictReader(text))


# Problems, as benchdnn writes them


def problems(path):
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def sizes(problem):
    found = dict(re.findall(r"(mb|g|ic|ih|oc|oh|kh|sh|ph)(\d+)", problem.split('n"')[0]))
    values = {key: int(value) for key, value in found.items()}
    return {"g": 1, "sh": 1, "ph": 0, **values}


def convolution(problem):
    """PyTorch's convolution of a problem, in both layouts."""
    s = sizes(problem)
    x = torch.randn(s["mb"], s["ic"], s["ih"], s["ih"])
    w = torch.randn(s["oc"], s["ic"] // s["g"], s["kh"], s["kh"])

    def run(layout):
        a, b = x.to(memory_format=layout), w.to(memory_format=layout)
        return lambda: F.conv2d(a, b, stride=s["sh"], padding=s["ph"], groups=s["g"])

    return [run(torch.contiguous_format), run(torch.channels_last)]


# Operators


def deformable(problem, masked):
    """torchvision's operator alone: ours includes the convolution that predicts the offsets."""
    s = sizes(problem)
    x, w = torch.randn(1, s["ic"], s["ih"], s["ih"]), torch.randn(s["oc"], s["ic"], 3, 3)
    offset = 0.3 + 0.4 * torch.rand(1, 18, s["ih"], s["ih"])
    mask = torch.rand(1, 9, s["ih"], s["ih"]) if masked else None
    return [lambda: torchvision.ops.deform_conv2d(x, offset, w, padding=1, mask=mask)]


def adder(problem):
    s = sizes(problem)
    x, w = torch.randn(1, s["ic"], s["ih"], s["ih"]), torch.randn(s["oc"], s["ic"] * 9)
    return [lambda: -torch.cdist(F.unfold(x, 3, padding=1)[0].T, w, p=1)]


def shift(problem):
    s = sizes(problem)
    x, w = torch.randn(1, s["ic"], s["ih"], s["ih"]), torch.randn(s["oc"], s["ic"], 1, 1)
    extent, each = s["ih"], s["ic"] // 9

    def run():
        padded = F.pad(x, (1, 1, 1, 1))
        parts = [
            padded[:, i * each : (i + 1) * each, i // 3 : i // 3 + extent, i % 3 : i % 3 + extent]
            for i in range(9)
        ]
        return F.conv2d(torch.cat(parts + [x[:, 9 * each :]], 1), w)

    return [run]


# Models


def inference():
    model = torchvision.models.resnet50().eval()
    x = torch.randn(1, 3, 224, 224)

    def run(layout):
        m, a = torchvision.models.resnet50().eval().to(memory_format=layout), x.to(memory_format=layout)

        def work():
            with torch.no_grad():
                m(a)

        return work

    return [run(torch.contiguous_format), run(torch.channels_last)], model, x


def onnx_inference(model, x, threads):
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "model.onnx")
        torch.onnx.export(model, x, path, dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options)
    name, array = session.get_inputs()[0].name, x.numpy()
    return [lambda: session.run(None, {name: array})]


def training(make=lambda: CifarResNet(20), batch=128, channels=3, size=32):
    def run(layout):
        model = make().to(memory_format=layout).train()
        x, labels = torch.randn(batch, channels, size, size).to(memory_format=layout), torch.arange(batch) % 10
        optimizer = torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9, weight_decay=1e-4)

        def work():
            optimizer.zero_grad()
            F.cross_entropy(model(x), labels).backward()
            optimizer.step()

        return work

    return [run(torch.contiguous_format), run(torch.channels_last)]


# Rounds


class Comparison:
    def __init__(self, binary, rounds, threads):
        self.binary, self.rounds, self.threads = binary, rounds, threads
        self.rows = []

    def ours(self, *arguments):
        return bench(self.binary, "--threads", str(self.threads), *arguments)

    def add(self, work, peer, goal, pairs):
        """Adds a row: pairs of (peer's, our) milliseconds, one for each round."""
        theirs, own = statistics.median(p for p, _ in pairs), statistics.median(o for _, o in pairs)
        ratio = statistics.median(p / o for p, o in pairs)
        self.rows.append(
            {
                "work": work, "peer": peer, "peer_ms": f"{theirs:.3f}", "ours_ms": f"{own:.3f}",
                "ratio": f"{ratio:.2f}", "goal": goal, "threads": self.threads,
            }
        )
        print(f"{work} against {peer}: {theirs:.3f} / {own:.3f} ms = {ratio:.2f}", file=sys.stderr)

    def convolutions(self):
        lines = list(problems(SHAPES / "resnet50.txt"))
        peers = [convolution(line) for line in lines]
        uses = [int(re.search(r"\*(\d+)", line).group(1)) for line in lines]
        times = [[] for _ in lines]
        for _ in range(self.rounds):
            own = self.ours("--problems", str(SHAPES / "resnet50.txt"), "--seconds", "0.1")
            for index, (row, peer) in enumerate(zip(own, peers)):
                times[index].append((min(fastest(work) for work in peer), float(row["time_ms_min"])))
        for line, pairs in zip(lines, times):
            self.add(f"convolution {line}", "PyTorch", "≥ 0.95", pairs)
        total = [
            tuple(sum(n * pairs[r][side] for n, pairs in zip(uses, times)) for side in (0, 1))
            for r in range(self.rounds)
        ]
        self.add("ResNet-50's 53 convolutions, batch 1", "PyTorch", "≥ 1.25", total)

    def operators(self):
        lines = list(problems(SHAPES / "operators.txt"))
        names = [re.search(r'n"(.*)"', line).group(1) for line in lines]
        stages, large, depthwise = lines[:3], lines[3:6], lines[6:]
        kernels = "1x1,deformable,deformable-v2,adder,shift:pointwise=always"
        direct, other, peer = {}, {}, {}
        for _ in range(self.rounds):
            for line in stages:
                for row in self.ours("--problem", line, "--algorithm", "direct", "--seconds", "0.2"):
                    direct.setdefault(line, []).append(float(row["time_ms_min"]))
                for row in self.ours("--problem", line, "--conv", kernels, "--seconds", "1"):
                    other.setdefault((line, row["kernel"]), []).append(float(row["time_ms_min"]))
                for kernel, works in {
                    "deformable": deformable(line, False), "deformable-v2": deformable(line, True),
                    "adder": adder(line), "shift:pointwise=always": shift(line),
                }.items():
                    peer.setdefault((line, kernel), []).append(fastest(works[0]))
            for line in large + depthwise:
                for row in self.ours("--problem", line, "--seconds", "0.3"):
                    other.setdefault((line, "standard"), []).append(float(row["time_ms_min"]))
                works = convolution(line)
                peer.setdefault((line, "standard"), []).append(min(fastest(work) for work in works))
        for line, name in zip(lines[:3], names):
            for kernel, title, theirs, goal, own_goal in (
                ("deformable", "deformable", "torchvision", "≥ 8", "≥ 0.63"),
                ("deformable-v2", "deformable-v2", "torchvision", "≥ 8", "≥ 0.63"),
                ("adder", "adder", "torch.cdist", "≥ 20", "≥ 0.5"),
                ("shift:pointwise=always", "shift + 1×1", "PyTorch", "≥ 1.3", None),
            ):
                own = other[line, kernel]
                self.add(f"{title} {name}", theirs, goal, list(zip(peer[line, kernel], own)))
                if own_goal:
                    self.add(f"{title} {name}", "our direct 3×3", own_goal, list(zip(direct[line], own)))
            own = other[line, "shift:pointwise=always"]
            self.add(f"shift + 1×1 {name}", "our 1×1", "≥ 0.91", list(zip(other[line, "1x1"], own)))
        goals = {"k7": "≥ 1.2", "k15": "≥ 8", "k31": "≥ 30"}
        for line, name in zip(lines[3:], names[3:]):
            title = "depthwise 3×3" if name.startswith("dw") else "64 → 64 at 56²"
            pairs = list(zip(peer[line, "standard"], other[line, "standard"]))
            self.add(f"{title} {name}", "PyTorch", goals.get(name, "≥ 1.2"), pairs)

    def models(self):
        eager, model, x = inference()
        onnx = onnx_inference(model, x, self.threads)
        step = training()
        times = {"PyTorch": [], "ONNX Runtime": [], "step": [], "threads": []}
        for _ in range(self.rounds):
            arguments = ("--model", "resnet50", "--seconds", "1")
            own = float(self.ours(*arguments)[0]["time_ms_min"])
            two = float(bench(self.binary, "--threads", "2", *arguments)[0]["time_ms_min"])
            times["PyTorch"].append((min(fastest(work, 1) for work in eager), own))
            times["ONNX Runtime"].append((fastest(onnx[0], 1), own))
            times["threads"].append((own, two))
            own = self.ours(
                "--model", "resnet20", "--batch", "128", "--pass", "training", "--seconds", "2")
            times["step"].append((min(fastest(work, 2) for work in step), float(own[0]["time_ms_min"])))
        self.add("ResNet-50 inference, batch 1", "PyTorch", "≥ 1.6", times["PyTorch"])
        self.add("ResNet-50 inference, batch 1", "ONNX Runtime", "≥ 1.15", times["ONNX Runtime"])
        self.add("ResNet-20 training step, batch 128", "PyTorch", "≥ 1.5", times["step"])
        self.add("ResNet-50 inference, two threads", "our one thread", "≥ 1.8", times["threads"])

    def steps(self):
        """Training steps of the small networks that studies are made of."""
        for size in (24, 32):
            for kernel in ("standard", "dilated", "depthwise", "squeeze-excite", "shift", "deformable", "adder"):
                peer = training(lambda: bottleneck20(kernel), 32, 1, size)
                pairs = []
                for _ in range(self.rounds):
                    rows = self.ours(
                        "--model", "bottleneck20", "--conv", kernel, "--input", f"1x{size}x{size}", "--batch", "32",
                        "--pass", "training", "--seconds", "1")
                    own = next(row for row in rows if row["kernel"] == kernel)
                    pairs.append((min(fastest(work, 0.5) for work in peer), float(own["time_ms_min"])))
                goal = "≥ 3" if kernel == "shift" else "≥ 5" if kernel in ("deformable", "adder") else "≥ 2"
                self.add(f"bottleneck20 training step, batch 32 at {size}², {kernel}", "PyTorch", goal, pairs)

    def memory(self):
        """Peak resident megabytes of whole processes, the libraries' own included."""

        def peak(command):
            script = (
                "import resource, subprocess, sys\n"
                "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
            )
            return float(subprocess.check_output([sys.executable, "-c", script, *command]))

        for title, part, arguments in (
            ("ResNet-50 inference, peak memory (MB)", "inference", ["--model", "resnet50"]),
            (
                "ResNet-20 training step, peak memory (MB)", "training",
                ["--model", "resnet20", "--batch", "128", "--pass", "training"],
            ),
        ):
            own = peak([self.binary, "bench", "--threads", str(self.threads), *arguments])
            theirs = peak([sys.executable, __file__, "--run", part, "--threads", str(self.threads)])
            self.add(title, "PyTorch", "> 1", [(theirs, own)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / ".build" / "debug" / "experiment"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=["convolutions", "operators", "models", "steps", "memory"])
    parser.add_argument("--output", help="where the CSV goes")
    parser.add_argument("--run", choices=["inference", "training"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.run:
        works = inference()[0] if arguments.run == "inference" else training()
        fastest(works[0])
        return
    torch.set_grad_enabled(True)
    comparison = Comparison(arguments.binary, arguments.rounds, arguments.threads)
    for part in ["convolutions", "operators", "models", "steps", "memory"]:
        if arguments.only in (None, part):
            getattr(comparison, part)()
    columns = ["work", "peer", "peer_ms", "ours_ms", "ratio", "goal", "threads"]
    print("| work | peer | peer ms | ours ms | peer / ours | goal |\n|---|---|---|---|---|---|")
    for row in comparison.rows:
        print("| " + " | ".join(str(row[column]) for column in columns[:-1]) + " |")
    if arguments.output:
        output = pathlib.Path(arguments.output)
        with open(output, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(comparison.rows)
        import onnxruntime

        machine = {
            "command": ["experiments/peers/compare_speed.py", *sys.argv[1:]],
            "commit": subprocess.check_output(["git", "-C", str(ROOT), "rev-parse", "HEAD"], text=True).strip(),
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "packages": {
                "torch": torch.__version__, "torchvision": torchvision.__version__,
                "onnxruntime": onnxruntime.__version__,
            },
            "processor": next(
                (l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), ""),
            "rounds": arguments.rounds,
        }
        output.with_suffix(".json").write_text(json.dumps(machine, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
