#!/usr/bin/env python3
"""Measure every peer beside `experiment bench`, on the same work, in turns.

    pip install torch torchvision onnx onnxruntime openvino ncnn pnnx numpy
    swift build && WORKBENCH_SIMD=avx2 swift build --scratch-path .build-avx2
    python experiments/peers/compare_speed.py --output results/peers.csv

The peers are PyTorch eager (in NCHW, "eager", and in channels-last), its compiler (frozen for inference), ONNX Runtime,
OpenVINO and ncnn, all in single precision, each in a process of its own (`speed_peer.py`). The work is in
`speed_works.py`. In every round ours and each peer run one after the other. A number is the median over the rounds of
the rounds' fastest runs. The ratio is the median of the rounds' ratios of the best peer to ours; the best peer is the
one with the smallest number. `at_peak` and `at_bandwidth` are the times that the definition's operations would take at
the processor's measured peak, and the layers' arrays, each moved once, at the measured bandwidth. Rows for AVX2, of
whole networks, have only the peers that can be held to it. A processor without AVX-512 measures these rows alone, with
all peers and the usual build. `--before` times an earlier build's binary as well. The table
is written after every row; `--update` measures some of them again. A peer that cannot run a row leaves its cell empty
and its reason in the JSON file beside the table.
"""

import argparse
import csv
import dataclasses
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from speed_works import INFERENCE, PARTS
from timing import ROOT, bench

PEER = pathlib.Path(__file__).with_name("speed_peer.py")
HELD = {
    "avx512": {},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
             "TORCHINDUCTOR_CPP_SIMDLEN": "256"},
}
HAS_AVX512 = "avx512f" in pathlib.Path("/proc/cpuinfo").read_text()
# The peers that can be held to AVX2. Where the processor has no more than that, nobody has to be.
HOLDABLE = ("eager", "channels-last", "compiler", "openvino") if HAS_AVX512 else INFERENCE
COLUMNS = [
    "instructions", "work", "threads", "unit", "ours", *INFERENCE, "best", "ratio", "goal", "before", "gain", "at_peak",
    "at_bandwidth",
]


class Peer:
    """A process of `speed_peer.py`."""

    def __init__(self, name, instructions):
        environment = {**os.environ, **HELD[instructions], "OMP_WAIT_POLICY": "passive"}
        self.process = subprocess.Popen(
            [sys.executable, str(PEER), name], env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self, **request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"ended with status {self.process.wait()}"}


def ours(binary, work):
    """Our milliseconds: the fastest run; and what its operations would take at the processor's measured peak, and its
    bytes at the measured bandwidth."""
    rows = bench(binary, "--threads", str(work.threads), "--seconds", str(work.seconds), *work.ours)
    row = next((row for row in rows if row["kernel"] == work.kernel), rows[0])
    limits = {
        f"at_{name}": float(row["time_ms_median"]) * float(row.get(f"{name}_fraction") or 0)
        for name in ("peak", "bandwidth")
    }
    return float(row["time_ms_min"]), limits


def key(row):
    """What two measurements of the same work have in common."""
    return row["instructions"], row["work"], str(row["threads"])


class Table:
    def __init__(self, arguments):
        self.arguments, self.rows, self.missing = arguments, [], []
        self.started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.runs = []
        if arguments.update:
            with open(arguments.output, newline="") as file:
                self.rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
            record = json.loads(pathlib.Path(arguments.output).with_suffix(".json").read_text())
            self.missing, self.runs = record["missing"], record["runs"]

    def add(self, instructions, work, times, before, unit="ms", limits=None):
        """Adds a row: for `ours`, each peer and perhaps the earlier build, a number for every round."""
        own = times["ours"]
        median = {name: statistics.median(values) for name, values in times.items()}
        peers = {name: value for name, value in median.items() if name != "ours"}
        best = min(peers, key=peers.get) if peers else None
        row = {
            "instructions": instructions, "work": work.title, "threads": work.threads, "unit": unit,
            "goal": work.avx2 if instructions == "avx2" else work.goal,
            **{name: f"{value:.4g}" for name, value in median.items()}, "best": best or "",
        }
        if best:
            row["ratio"] = f"{statistics.median(p / o for p, o in zip(times[best], own)):.2f}"
        row |= {name: f"{value:.4g}" for name, value in (limits or {}).items()}
        if before:
            row["before"] = f"{statistics.median(before):.4g}"
            row["gain"] = f"{statistics.median(b / o for b, o in zip(before, own)):.3f}"
        place = next((i for i, other in enumerate(self.rows) if key(other) == key(row)), len(self.rows))
        self.rows[place : place + 1] = [row]
        print(
            f"{instructions} {work.title}, {work.threads} thread(s): ours {row['ours']} {unit}, best peer {best or 'none'} "
            f"{peers.get(best, float('nan')):.4g}, ratio {row.get('ratio', '–')}, before {row.get('before', '–')}",
            file=sys.stderr, flush=True)
        self.write()

    def write(self):
        if not self.arguments.output:
            return
        output = pathlib.Path(self.arguments.output)
        with open(output, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)
        names = ("torch", "torchvision", "onnxruntime", "openvino", "ncnn")
        processor = (l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
        run = {
            "command": ["experiments/peers/compare_speed.py", *self.arguments.told],
            "commit": subprocess.check_output(["git", "-C", str(ROOT), "rev-parse", "HEAD"], text=True).strip(),
            "date": self.started, "rounds": self.arguments.rounds,
        }
        record = {
            "runs": [*self.runs, run], "packages": {name: importlib.metadata.version(name) for name in names},
            "processor": next(processor, ""), "missing": self.missing,
        }
        output.with_suffix(".json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def measure(table, instructions, binary, works):
    """Times all works of one part, and returns the times of each."""
    arguments, processes, all_times = table.arguments, {}, []
    for work in works:
        place, ready = {"instructions": instructions, "work": work.title, "threads": work.threads}, []
        table.missing = [other for other in table.missing if key(other) != key(place)]

        def miss(name, reason):
            table.missing.append({**place, "peer": name, "reason": reason})
            if processes[name].process.poll() is not None:
                del processes[name]

        for name in work.peers:
            if instructions != "avx512" and name not in HOLDABLE or arguments.peers and name not in arguments.peers:
                continue
            if name not in processes:
                processes[name] = Peer(name, instructions)
            answer = processes[name].ask(work=work.peer, threads=work.threads)
            if "error" in answer:
                miss(name, answer["error"])
            else:
                ready.append(name)
        times, before = {name: [] for name in ("ours", *ready)}, []
        for _ in range(arguments.rounds):
            own, limits = ours(binary, work)
            times["ours"].append(own)
            for name in list(ready):
                answer = processes[name].ask(seconds=work.seconds)
                if "error" in answer:
                    miss(name, answer["error"])
                    ready.remove(name)
                    del times[name]
                else:
                    times[name].append(answer["ms"])
            if arguments.before and instructions == ("avx512" if HAS_AVX512 else "avx2"):
                try:
                    before.append(ours(arguments.before, work)[0])
                except subprocess.CalledProcessError:
                    pass
        table.add(
            instructions, work, times, before if len(before) == arguments.rounds else [], limits=limits)
        all_times.append((work, times))
    for process in processes.values():
        process.process.stdin.close()
        process.process.wait()
    return all_times


def add_limits(table, instructions, binary, works):
    """Fills the limits of rows that have been measured."""
    for work in works:
        title = {"instructions": instructions, "work": work.title, "threads": work.threads}
        for row in table.rows:
            if key(row) == key(title):
                row |= {name: f"{value:.4g}" for name, value in ours(binary, work)[1].items()}
    table.write()


def total(table, instructions, all_times):
    """ResNet-50's convolutions together, each as often as the network has it."""
    names = set.intersection(*(set(times) for _, times in all_times))
    sums = {
        name: [sum(work.uses * times[name][r] for work, times in all_times) for r in range(table.arguments.rounds)]
        for name in names
    }
    first = all_times[0][0]
    title = f"ResNet-50's {sum(work.uses for work, _ in all_times)} convolutions together"
    table.add(instructions, dataclasses.replace(first, title=title, goal=1.25), sums, [])


def memory(table, binary):
    """Peak resident megabytes of whole processes, the libraries' own included."""

    def peak(command, text=None):
        script = (
            "import resource, subprocess, sys\n"
            "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
        )
        return float(subprocess.check_output([sys.executable, "-c", script, *command], input=text, text=True))

    for work in (next(PARTS["models"]()), next(PARTS["steps"]())):
        times = {"ours": [peak([binary, "bench", "--threads", "1", "--seconds", "1", *work.ours])]}
        request = json.dumps({"work": work.peer, "threads": 1}) + "\n" + json.dumps({"seconds": 1}) + "\n"
        for name in work.peers:
            if not table.arguments.peers or name in table.arguments.peers:
                times[name] = [peak([sys.executable, str(PEER), name], request)]
        title = f"peak memory: {work.title}"
        table.add("avx512" if HAS_AVX512 else "avx2", dataclasses.replace(work, title=title, goal=1), times, [], unit="MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / ".build/debug/experiment"))
    parser.add_argument("--avx2-binary", help="a build for AVX2, where the processor has AVX-512 too")
    parser.add_argument("--before", help="an earlier build's binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=[*PARTS, "memory"], default=[*PARTS, "memory"])
    parser.add_argument("--instructions", nargs="+", choices=list(HELD), default=list(HELD) if HAS_AVX512 else ["avx2"])
    parser.add_argument("--peers", nargs="+", choices=INFERENCE, help="only these")
    parser.add_argument("--works", help="only works whose title contains this")
    parser.add_argument("--output", help="where the CSV goes")
    parser.add_argument("--update", action="store_true", help="replace only the measured rows of an existing --output")
    parser.add_argument("--limits", action="store_true", help="with --update: only at_peak and at_bandwidth")
    arguments = parser.parse_args()
    arguments.told = sys.argv[1:]
    table = Table(arguments)
    usual = str(ROOT / ".build-avx2/debug/experiment") if HAS_AVX512 else arguments.binary
    binaries = {"avx512": arguments.binary, "avx2": arguments.avx2_binary or usual}
    for part in arguments.parts:
        if part == "memory":
            if not arguments.limits:
                memory(table, arguments.binary)
            continue
        for instructions in arguments.instructions:
            works = [
                work for work in PARTS[part]()
                if (arguments.works or "") in work.title and (work.avx2 or instructions == "avx512")
            ]
            if arguments.limits:
                add_limits(table, instructions, binaries[instructions], works)
                continue
            all_times = measure(table, instructions, binaries[instructions], works)
            if part == "convolutions" and instructions == "avx512" and not arguments.works:
                total(table, instructions, all_times)
    print(markdown(table.rows))


PEERS = {
    "eager": "PyTorch", "channels-last": "PyTorch, channels last", "compiler": "PyTorch's compiler",
    "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "ncnn": "ncnn",
}


def markdown(rows):
    """The table of docs/engine.md: ratios below the goal are in bold."""
    lines = [
        "| work | threads | ours, ms | best peer | its ms | peer / ours | goal | the goal, ms | before / ours | operations | "
        "bytes |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        title, unit = row["work"], row["unit"]
        if row["instructions"] == "avx2" and HAS_AVX512:
            title = f"AVX2: {title}"
        if unit != "ms":
            title += f" ({unit})"
        best, goal, ratio = row.get("best"), float(row["goal"]), row.get("ratio", "")
        demanded = f"{float(row[best]) / goal:.4g}" if best else ""
        cells = [
            title, row["threads"], row["ours"], PEERS.get(best, ""), row.get(best, ""),
            f"**{ratio}**" if ratio and float(ratio) < goal else ratio, f"≥ {goal:g}", demanded,
            f"{float(row['gain']):.2f}" if row.get("gain") else "",
            *(f"{float(row[name]):.3g}" if row.get(name) else "" for name in ("at_peak", "at_bandwidth")),
        ]
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
