#!/usr/bin/env python3
"""Zero-cost proxies of ResNet-20 on the embedded digits, here and in PyTorch, for the same weights and images.

    pip install torch torchvision safetensors numpy
    swift build && python experiments/peers/compare_proxies.py
    python experiments/peers/compare_proxies.py --fixture    # writes what the Swift tests check

An implementation of its own, in double precision with autograd, of the definitions in docs/proxies.md: gradients of
gradients are exact, SynFlow is not scaled, determinants and eigenvalues are NumPy's. Weights depend on their names alone
(networks.py), the minibatches are the first four times 32 images. Ends with status 1 where a value differs by more than a
thousandth. The Zen-score is drawn here with the same random numbers as there.

ResNet-110's SynFlow, beyond single precision, is compared too.

`Tests/LearningTests/Fixtures/proxies.json`: {proxy: value}.
"""

import argparse
import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from make_network_fixtures import ROOT, SPLIT, digits
from networks import GAMMA, MASK, BasicBlock, CifarResNet, fill, mix
from safetensors.torch import save_file

IMAGES, BATCHES = 32, 4


def network(depth=20):
    return fill(CifarResNet(depth, channels=1)).double().train()


def layers(model):
    return [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def weight_gradients(model, images, labels, graph=False):
    loss = F.cross_entropy(model(images), labels)
    return torch.autograd.grad(loss, [m.weight for m in layers(model)], create_graph=graph)


def grad_norm(images, labels):
    return sum(g.norm().item() for g in weight_gradients(network(), images, labels))


def snip(images, labels):
    model = network()
    gradients = weight_gradients(model, images, labels)
    return sum((m.weight * g).abs().sum().item() for m, g in zip(layers(model), gradients))


def grasp(images, labels):
    model = network()
    gradients = weight_gradients(model, images, labels, graph=True)
    product = sum((g * g.detach()).sum() for g in gradients)
    second = torch.autograd.grad(product, [m.weight for m in layers(model)])
    return -sum((m.weight * h).sum().item() for m, h in zip(layers(model), second))


def fisher(images, labels):
    model, outputs = network(), []
    for layer in layers(model):
        layer.register_forward_hook(lambda _, inputs, output: outputs.append(output))
    loss, score = F.cross_entropy(model(images), labels), 0.0
    for output, gradient in zip(outputs, torch.autograd.grad(loss, outputs)):
        flow = (output * gradient).flatten(2).sum(2) if output.dim() == 4 else output * gradient
        score += (flow**2).mean(0).sum().item() / 2
    return score


def synflow(images, labels, depth=20):
    model = network(depth)
    for name, child in list(model.named_modules()):
        if isinstance(child, nn.BatchNorm2d):
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], nn.Identity())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    result = model(torch.ones(1, *images.shape[1:], dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(result, [m.weight for m in layers(model)])
    return sum((m.weight * g).abs().sum().item() for m, g in zip(layers(model), gradients))


def jacob_cov(images, labels):
    images = images.clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(network()(images).sum(), images)
    values = np.linalg.eigvalsh(np.corrcoef(jacobian.flatten(1).numpy()))
    return -np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5))


def naswot(images, labels):
    """This ResNet's ReLUs are functions, so that hooks would not see them."""
    codes, relu = [], F.relu
    try:
        F.relu = lambda x: codes.append((x > 0).flatten(1).double()) or relu(x)
        network()(images)
    finally:
        F.relu = relu
    kernel = sum(c @ c.T + (1 - c) @ (1 - c).T for c in codes)
    return np.linalg.slogdet(kernel.numpy())[1]


def zico(batches):
    model, score = network(), 0.0
    gradients = [weight_gradients(model, images, labels) for images, labels in batches]
    for own in zip(*gradients):
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
        values = []
        for _ in range(math.prod(shape)):
            pair = []
            for _ in range(2):
                self.state = (self.state + GAMMA) & MASK
                pair.append((mix(self.state) >> 11) * 2.0**-53)
            values.append(math.sqrt(-2 * math.log(1 - pair[0])) * math.cos(2 * math.pi * pair[1]))
        return torch.tensor(values, dtype=torch.float64).float().double().reshape(shape)


def in_file_order(values):
    """Weights are drawn in memory order: HWIO, and [inputs, outputs]."""
    return values.permute(3, 2, 0, 1) if values.dim() == 4 else values.T


def zen(images, repetitions=4):
    """Of the plain network: its blocks' shortcuts are left out."""
    def plain(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))

    forward, BasicBlock.forward, total = BasicBlock.forward, plain, 0.0
    try:
        for repetition in range(repetitions):
            random, model = Random(0).split(f"repetition {repetition}"), network()
            for name, module in model.named_modules():
                if isinstance(module, (nn.Conv2d, nn.Linear)):
                    shape = tuple(module.weight.shape)
                    memory = (shape[2], shape[3], shape[1], shape[0]) if len(shape) == 4 else shape[::-1]
                    drawn = random.split(name + ".weight").normal(memory)
                    module.weight.data = in_file_order(drawn).contiguous()
            variances = []
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.weight.data.fill_(1)
                    module.bias.data.fill_(0)
                    module.register_forward_pre_hook(
                        lambda _, inputs: variances.append(inputs[0].transpose(0, 1).flatten(1).var(1).mean().item())
                    )
            shape = (images.shape[0], *images.shape[2:], images.shape[1])
            random = random.split("images")
            x, noise = (random.normal(shape).permute(0, 3, 1, 2) for _ in range(2))

            def features(x):
                return model.layer3(model.layer2(model.layer1(F.relu(model.bn1(model.conv1(x))))))

            with torch.no_grad():
                output = features(x)
                factors = sum(math.log(v) / 2 for v in variances)
                distance = (output - features(x + 0.01 * noise)).abs().sum().item() / len(x)
            total += math.log(distance) + factors
    finally:
        BasicBlock.forward = forward
    return total / repetitions


def theirs():
    images, labels = digits()
    starts = range(0, BATCHES * IMAGES, IMAGES)
    batches = [(images[i : i + IMAGES].float().double(), labels[i : i + IMAGES]) for i in starts]
    first = batches[0]
    measures = [grad_norm, snip, grasp, fisher, synflow, jacob_cov, naswot]
    values = {measure.__name__: float(measure(*first)) for measure in measures}
    return values | {"zico": zico(batches), "zen": zen(first[0]), "synflow of resnet110": synflow(*first, depth=110)}


def row(depth=20):
    with tempfile.TemporaryDirectory() as folder:
        weights, table = pathlib.Path(folder) / "w.safetensors", pathlib.Path(folder) / "proxies.csv"
        save_file(fill(CifarResNet(depth, channels=1)).state_dict(), str(weights))
        subprocess.run(
            [
                str(ROOT / ".build/debug/experiment"), "proxies", f"resnet{depth}", "--data", f"digits:split={SPLIT}", "--weights", str(weights),
                "--shuffle", "off", "--batch", str(IMAGES), "--batches", str(BATCHES), "--csv", str(table),
            ],
            check=True, stdout=subprocess.DEVNULL,
        )
        with open(table, newline="") as file:
            return next(csv.DictReader(file))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fixture", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    values = theirs()
    if options.fixture:
        path = ROOT / "Tests/LearningTests/Fixtures/proxies.json"
        path.write_text(json.dumps({name: float(f"{v:.9g}") for name, v in values.items()}, indent=1) + "\n")
        sys.exit()
    ours, worst = row(), 0.0
    ours["synflow of resnet110"] = row(110)["synflow"]
    print("| proxy | ours | PyTorch, double | relative difference |\n|---|---|---|---|")
    for name, value in values.items():
        own = float(ours[name])
        difference = abs(own - value) / abs(value)
        worst = max(worst, difference)
        print(f"| {name} | {own:.7g} | {value:.7g} | {difference:.1e} |")
    sys.exit(worst > 1e-3)
