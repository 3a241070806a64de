#!/usr/bin/env python3
"""Zero-cost proxies of networks of each kernel, here and in PyTorch, for the same weights and images.

    pip install torch torchvision safetensors numpy
    swift build && python experiments/peers/compare_proxies.py                    # resnet20, all proxies
    python experiments/peers/compare_proxies.py --kernels                         # 22 kernels × 3 seeds on the digits
    python experiments/peers/compare_proxies.py --model resnet56 --items cbam,adder --seeds 2 --proxies grasp,naswot
    python experiments/peers/compare_proxies.py --held-out                        # what no test and no fixture has
    python experiments/peers/compare_proxies.py --fixture                         # writes what the Swift tests check

An implementation of its own, in double precision with autograd, of the definitions in docs/proxies.md, of networks whose
kernels are built from their formulas (kernels.py): gradients of gradients are exact, SynFlow is not scaled, determinants
and eigenvalues are NumPy's. Weights are those that `experiment train --rate 0 --steps 1` saves, the initial ones, or with
--fixture numbers that depend on their names alone (networks.py); the minibatches are the first of the digits. Zen-scores
are drawn here with the same random numbers as there. --held-out takes other kernels, seeds and models than the tests, and
--data random other images: 12×12 pixels of noise. Ends with status 1 where a value differs by more than a thousandth
(GraSP's: two); a value that we leave empty is a dash, and is counted.

`Tests/LearningTests/Fixtures/proxies.json` is a list of {model, item, seed, images, values: {proxy: value}}: weights are
`filling(name, shape, seed)`, images `uniform("images", (images, 1, 8, 8), -1, 1, seed)`, the class of image i is
(3 i + seed) mod 10, and minibatches follow one another.
"""

import argparse
import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import kernels
import numpy as np
import torch
import torch.nn.functional as F
from kernels import Network, Parameters, Trace
from make_network_fixtures import DATA, ROOT
from networks import GAMMA, MASK, mix, uniform

EXPERIMENT = str(ROOT / ".build/debug/experiment")
ITEMS = (
    "standard,1x1,dilated,deformable,deformable-v2,shift,adder,fft,grouped,depthwise,depthwise-separable,asymmetric,"
    "max-plus,small-stack,cascaded,multi-scale,aspp,active,active-shift,non-local,squeeze-excite,cbam"
)


class Case:
    """A network with its minibatches; `weights` are its parameters of two axes or more."""

    def __init__(self, model, item, parameters, batches):
        self.model, self.item, self.parameters, self.batches = model, item, parameters, batches
        self.images, self.labels = batches[0]
        self.trace(self.images)

    def network(self, plain=False):
        return Network(self.model, self.item, self.parameters, plain)

    def trace(self, images):
        trace = kernels.traced(Trace())
        return self.network()(images), trace

    @property
    def weights(self):
        return list(self.parameters.weights.values())

    def gradients(self, batch=None, graph=False):
        images, labels = batch or self.batches[0]
        loss = F.cross_entropy(self.trace(images)[0], labels)
        found = torch.autograd.grad(loss, self.weights, create_graph=graph, allow_unused=True)
        return [torch.zeros_like(w) if g is None else g for w, g in zip(self.weights, found)]


def grad_norm(case):
    return sum(g.norm().item() for g in case.gradients())


def snip(case):
    return sum((w * g).abs().sum().item() for w, g in zip(case.weights, case.gradients()))


def grasp(case):
    product = sum((g * g.detach()).sum() for g in case.gradients(graph=True))
    second = torch.autograd.grad(product, case.weights, allow_unused=True)
    return -sum((w * h).sum().item() for w, h in zip(case.weights, second) if h is not None)


def channel_information(case):
    """Of each layer with weights: its channels' Fisher information, and its weights for each channel."""
    logits, trace = case.trace(case.images)
    outputs = [(output, weights) for output, weights in trace.outputs if weights]
    gradients = torch.autograd.grad(F.cross_entropy(logits, case.labels), [output for output, _ in outputs])
    for (output, weights), gradient in zip(outputs, gradients):
        flow = (output * gradient).flatten(2).sum(2) if output.dim() == 4 else output * gradient
        yield (flow**2).mean(0) / 2, weights / output.shape[1]


def fisher(case):
    return sum(information.sum().item() for information, _ in channel_information(case))


def fisher_published(case):
    """Zero-cost NAS's sum: each channel's value is repeated for each of its weights."""
    return sum(information.sum().item() * repeats for information, repeats in channel_information(case))


def synflow(case):
    if "adder" in case.item:
        return None
    absolute = Parameters({n: v.detach().abs().requires_grad_() for n, v in case.parameters.values.items()})
    kernels.traced(Trace(normalises=False))
    result = Network(case.model, case.item, absolute)(torch.ones(1, *case.images.shape[1:], dtype=torch.float64)).sum()
    weights = list(absolute.weights.values())
    gradients = torch.autograd.grad(result, weights, allow_unused=True)
    return sum((w * g).abs().sum().item() for w, g in zip(weights, gradients) if g is not None)


def jacob_cov(case):
    images = case.images.clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(case.trace(images)[0].sum(), images)
    values = np.linalg.eigvalsh(np.corrcoef(jacobian.flatten(1).numpy()))
    return -np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5))


def naswot(case):
    codes = [(y > 0).flatten(1).double() for y in case.trace(case.images)[1].rectified]
    kernel = sum(c @ c.T + (1 - c) @ (1 - c).T for c in codes)
    return np.linalg.slogdet(kernel.numpy())[1]


def zico(case):
    score = 0.0
    for own in zip(*(case.gradients(batch) for batch in case.batches)):
        own = torch.stack(own)
        deviation = own.std(0, unbiased=False)
        ratio = (own.abs().mean(0) / deviation)[deviation > 0].sum().item()
        score += math.log(ratio) if ratio > 0 else 0
    return score


class Random:
    """SplitMix64 as Sources/Tensors/Random.swift has it."""

    def __init__(self, seed):
        self.state = mix((seed + GAMMA) & MASK)

    def split(self, label):
        hashed = 0xCBF29CE484222325
        for byte in label.encode():
            hashed = ((hashed ^ byte) * 0x100000001B3) & MASK
        return Random(self.state ^ mix(hashed))

    def normal(self, shape):
        count = 2 * math.prod(shape)
        with np.errstate(over="ignore"):
            z = np.uint64(self.state) + np.uint64(GAMMA) * np.arange(1, count + 1, dtype=np.uint64)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        self.state = (self.state + GAMMA * count) & MASK
        pairs = ((z >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(-1, 2)
        values = np.sqrt(-2 * np.log(1 - pairs[:, 0])) * np.cos(2 * np.pi * pairs[:, 1])
        return torch.from_numpy(values).float().double().reshape(shape)


def in_memory(shape):
    """Weights are drawn in memory order: HWIO, and [inputs, outputs]; learned distances as they are."""
    return (shape[2], shape[3], shape[1], shape[0]) if len(shape) == 4 else shape


def drawn(name, value, random):
    if value.dim() == 4:
        return random.split(name).normal(in_memory(value.shape)).permute(3, 2, 0, 1)
    # The classifier is a matrix; distances are rows.
    transposed = name.startswith("fc.")
    drawn = random.split(name).normal(tuple(value.shape)[::-1] if transposed else tuple(value.shape))
    return drawn.T if transposed else drawn


def zen(case, repetitions=4, published=False):
    """Of the plain network: its blocks' shortcuts are left out."""
    values, total, running = case.parameters.values, 0.0, None
    for repetition in range(repetitions):
        random, own = Random(0).split(f"repetition {repetition}"), {}
        for name, value in values.items():
            if value.dim() > 1:
                own[name] = drawn(name, value, random) if value.abs().max() > 0 else value.detach()
            elif name.rpartition(".")[0].rpartition(".")[2].startswith("bn") or ".downsample.1." in name:
                own[name] = torch.full_like(value.detach(), name.endswith("weight"))
            else:
                own[name] = torch.zeros_like(value) if published and name.endswith("bias") else value.detach()
        network = Network(case.model, case.item, Parameters(own), plain=True)
        shape = (case.images.shape[0], *case.images.shape[2:], case.images.shape[1])
        random = random.split("images")
        x, noise = (random.normal(shape).permute(0, 3, 1, 2) for _ in range(2))

        def features(x):
            trace = kernels.traced(Trace())
            with torch.no_grad():
                return network.features(x), trace

        output, trace = features(x)
        disturbed, other = features(x + 0.01 * noise)
        distance = (output - disturbed).abs().sum().item() / len(x)
        variances = [v.mean().item() for v in trace.variances]
        if published:
            for pass_trace in (trace, other):
                unbiased = [(v * n / (n - 1)).mean().item() for v, n in zip(pass_trace.variances, pass_trace.counts)]
                running = [0.9 * (running[i] if running else 1) + 0.1 * v for i, v in enumerate(unbiased)]
            variances = running
        total += math.log(distance) + sum(math.log(v) / 2 for v in variances)
    return total / repetitions


def zen_published(case):
    """ZenNAS's program: biases zero, and running variances, which start at 1 and go on from draw to draw."""
    return zen(case, repetitions=32, published=True)


MEASURES = [grad_norm, snip, grasp, fisher, synflow, jacob_cov, naswot, zico, zen, fisher_published, zen_published]
NAMES = [measure.__name__ for measure in MEASURES]


def values(case, names=NAMES):
    found = {m.__name__: m(case) for m in MEASURES if m.__name__ in names}
    return {name: float(value) for name, value in found.items() if value is not None}


# The images


def digits():
    """The training split of `digits:validation=0`, before it is normalised."""
    labels = np.fromfile(DATA / "digits-labels.idx1-ubyte", np.uint8)[8:]
    images = np.fromfile(DATA / "digits-images.idx3-ubyte", np.uint8)[16:].reshape(-1, 1, 8, 8)
    return (images[:SPLIT] / 16).astype(np.float32), labels[:SPLIT].astype(np.int64)


def noise(folder):
    """160 images of noise, written into a folder as the workbench reads them."""
    pixels = np.random.default_rng(12).random((160, 1, 12, 12)).astype(np.float32)
    labels = np.arange(160, dtype=np.int64) * 7 % 10
    for split in ("train", "test"):
        np.save(folder / f"{split}_images.npy", pixels)
        np.save(folder / f"{split}_labels.npy", labels)
    return pixels, labels


def normalised(raw, labels):
    """As the workbench normalises, in single precision."""
    mean, deviation = raw.mean(dtype=np.float64), raw.std(dtype=np.float64)
    scaled = (raw - np.float32(mean)) / np.float32(deviation)
    return torch.from_numpy(scaled).double(), torch.from_numpy(labels)


SPLIT = 1415


def run(*arguments):
    subprocess.run([EXPERIMENT, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compare(model, item, seed, names, data="digits", images=32, batches=4):
    """Ours and PyTorch's values for the initial weights of a seed and the first images."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        weights, table = folder / "w.safetensors", folder / "proxies.csv"
        pixels, labels = normalised(*(digits() if data == "digits" else noise(folder)))
        source = "digits" if data == "digits" else f"npy:{folder}"
        network = [model, "--conv", item, "--seed", seed, "--data", f"{source}:validation=0"]
        # A rate of zero leaves the initial weights.
        run("train", *network, "--rate", 0, "--steps", 1, "--save", weights)
        run("proxies", *network, "--weights", weights, "--shuffle", "off", "--batch", images, "--batches", batches,
            "--proxies", ",".join(names), "--csv", table)
        with open(table, newline="") as file:
            ours = next(csv.DictReader(file))
        parts = [(pixels[i * images :][:images], labels[i * images :][:images]) for i in range(batches)]
        return ours, values(Case(model, item, Parameters.file(weights), parts), names)


def tolerance(name):
    return 2e-3 if name == "grasp" else 1e-3


# The tests' numbers


def fixture_case(model, item, seed, images):
    pixels = uniform("images", (4 * images, 1, 8, 8), -1, 1, seed).double()
    labels = torch.tensor([(3 * i + seed) % 10 for i in range(4 * images)])
    batches = [(pixels[i * images :][:images], labels[i * images :][:images]) for i in range(4)]
    return Case(model, item, Parameters(seed=seed), batches)


HELD_OUT = [
    "asymmetric:form=block", "asymmetric:form=acnet", "multi-scale", "cascaded:rates=1-2", "non-local:form=dot", "depthwise:window=5",
    "active", "active:combine=adder", "max-plus", "cbam:around=adder", "cbam:around=depthwise", "squeeze-excite:around=max-plus",
    "deformable:combine=adder", "deformable-v2", "small-stack", "shift:pointwise=always", "standard:window=5", "dilated:dilation=3",
]
SIMPLE = ["grad_norm", "snip", "grasp", "fisher", "jacob_cov", "naswot", "fisher_published"]
COMPOSED = [
    "standard", "adder", "max-plus", "deformable", "deformable-v2:mask=2sigmoid", "active", "active-shift", "small-stack", "aspp",
    "multi-scale", "asymmetric:form=acnet", "non-local", "squeeze-excite", "cbam",
]
OTHERS = [
    "1x1", "dilated", "shift:block=csc", "fft", "grouped", "depthwise", "depthwise-separable:activation=relu",
    "asymmetric", "cascaded", "non-local:form=concatenation", "deformable:combine=adder:groups=2", "active:combine=max-plus",
    "cbam:around=adder", "squeeze-excite:around=deformable-v2", "aspp:rates=1-3:normalization=batch",
]


def fixtures():
    cases = [("bottleneck20", item, seed, 16, SIMPLE) for item in COMPOSED for seed in range(3)]
    cases += [("bottleneck20", item, 3, 16, SIMPLE) for item in OTHERS]
    cases += [("resnet20", item, 4, 16, SIMPLE) for item in ("adder", "cbam", "deformable-v2", "depthwise")]
    cases += [("resnet20", "standard", 0, 32, NAMES), ("resnet110", "standard", 0, 2, ["synflow"])]
    for model, item, seed, images, names in cases:
        found = values(fixture_case(model, item, seed, images), names)
        print(model, item, seed, found.get("grasp"), flush=True)
        found = {name: float(f"{value:.9g}") for name, value in found.items()}
        yield {"model": model, "item": item, "seed": seed, "images": images, "values": found}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fixture", action="store_true")
    parser.add_argument("--kernels", action="store_true")
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--items", default="standard")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--data", choices=["digits", "random"], default="digits")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--proxies", default=",".join(NAMES))
    options = parser.parse_args()
    if options.kernels:
        options.model, options.items, options.seeds, options.proxies = "bottleneck20", ITEMS, 3, "grasp,naswot"
    if options.fixture:
        lines = ",\n".join(" " + json.dumps(case) for case in fixtures())
        (ROOT / "Tests/LearningTests/Fixtures/proxies.json").write_text(f"[\n{lines}\n]\n")
        return
    runs = [(options.model, item, options.data) for item in options.items.split(",")]
    if options.held_out:
        options.first_seed, options.proxies = 11, "grasp,naswot"
        runs = [("bottleneck20", item, "random") for item in HELD_OUT] + [("resnet20", item, "digits") for item in HELD_OUT[::3]]
    isWorse, compared, missing = False, 0, 0
    print("| model | kernel | data | seed | proxy | ours | PyTorch, double | relative difference |")
    print("|---|---|---|---|---|---|---|---|")
    for model, item, data in runs:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            ours, theirs = compare(model, item, seed, options.proxies.split(","), data)
            for name, value in theirs.items():
                compared += 1
                row = f"| {model} | {item} | {data} | {seed} | {name} |"
                if not ours[name]:
                    missing += 1
                    print(f"{row} – | {value:.7g} | {ours['reason']} |", flush=True)
                    continue
                difference = abs(float(ours[name]) - value) / abs(value)
                isWorse |= not difference <= tolerance(name)
                print(f"{row} {float(ours[name]):.7g} | {value:.7g} | {difference:.1e} |", flush=True)
    print(f"{compared} values, of which {missing} are empty here.")
    sys.exit(isWorse)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
