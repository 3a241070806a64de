#!/usr/bin/env python3
"""Write the facts about MEAN_Spot that the Swift tests check, as PyTorch computes them in double precision.

    python experiments/peers/make_mean_spot_fixture.py

The network is written here a second time, from the description of its Keras source: three branches (5x5 convolution,
ReLU, batch normalisation, 3x3 max pooling of stride 3, dropout 0.3), a joint 5x5 convolution with ReLU, 2x2 max pooling,
dropout 0.2, one linear output; with CBAM after the joint convolution. Weights, images, targets and the masks of dropout
are numbers that depend on their names alone (networks.py): `Random(seed: 0)` of the workbench.

`Tests/LearningTests/Fixtures/mean_spot.json`:

    parameters   the number of trained values
    shapes       {part: [C, H, W]}: what comes out of each part for one example
    logits       of the training images, in inference, before the step
    loss         of a step on all eight training images: the mean squared error of standardised targets, and
                 l * sum(w^2) of the convolutions' weights (l 0.001 in the branches, 0.1 in the joint one)
    gradients    {name: {norm, samples}} of that loss; samples are the elements at 0, n / 7, 2 n / 7, ... of the flat
                 array in PyTorch's order
    state        the same of every parameter and running statistic after one step of SGD: rate 0.01, weight decay 1
    test         {mse, mae} of the test images after that step, in units of the targets
"""

import json
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from networks import fill, uniform

FILE = pathlib.Path(__file__).resolve().parents[2] / "Tests/LearningTests/Fixtures/mean_spot.json"


class Dropout(nn.Module):
    """The workbench's masks of the first step: NHWC, a share of them 0."""

    def __init__(self, name, share):
        super().__init__()
        self.name, self.share = name, share

    def forward(self, x):
        if not self.training:
            return x
        n, c, h, w = x.shape
        kept = uniform((self.name, "step 0"), (n, h, w, c), 0, 1).double() >= self.share
        return x * kept.permute(0, 3, 1, 2) / (1 - self.share)


class Branch(nn.Module):
    def __init__(self, name, width):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, width, 5, padding=2), nn.BatchNorm2d(width, eps=0.001, momentum=0.01)
        self.dropout = Dropout(f"{name}.dropout", 0.3)

    def forward(self, x):
        return self.dropout(F.max_pool2d(self.bn(F.relu(self.conv(x))), 3, 3))


class Channel(nn.Module):
    def __init__(self, channels, narrow):
        super().__init__()
        self.mlp = nn.Sequential()
        self.mlp.add_module("fc1", nn.Conv2d(channels, narrow, 1, bias=False))
        self.mlp.add_module("relu", nn.ReLU())
        self.mlp.add_module("fc2", nn.Conv2d(narrow, channels, 1, bias=False))

    def forward(self, x):
        mean, largest = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        return x * torch.sigmoid(self.mlp(mean) + self.mlp(largest))


class Spatial(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x):
        return x * torch.sigmoid(self.conv(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)))


class MeanSpot(nn.Module):
    def __init__(self, has_attention):
        super().__init__()
        for number, width in enumerate((3, 3, 8), 1):
            setattr(self, f"branch{number}", Branch(f"branch{number}", width))
        self.conv = nn.Conv2d(14, 8, 5, padding=2)
        self.cbam = nn.Sequential()
        if has_attention:
            self.cbam.add_module("channel", Channel(8, 2))
            self.cbam.add_module("spatial", Spatial())
        self.dropout, self.fc = Dropout("dropout", 0.2), nn.Linear(392, 1)

    def forward(self, x):
        shapes = self.shapes = {}
        parts = [getattr(self, f"branch{n}")(x[:, n - 1 : n]) for n in (1, 2, 3)]
        for number, part in enumerate(parts, 1):
            shapes[f"branch{number}.pool"] = list(part.shape[1:])
        y = self.cbam(F.relu(self.conv(torch.cat(parts, 1))))
        shapes["conv"] = list(y.shape[1:])
        y = F.max_pool2d(y, 2, 2)
        shapes["pool"] = list(y.shape[1:])
        y = self.dropout(y.flatten(1)[:, :, None, None]).flatten(1)
        return self.fc(y)[:, 0]

    def penalty(self):
        branches = [self.branch1, self.branch2, self.branch3]
        return 0.1 * (self.conv.weight**2).sum() + sum(0.001 * (b.conv.weight**2).sum() for b in branches)


def short(values):
    return [float(f"{value:.8g}") for value in values.detach().flatten().tolist()]


def summary(tensors):
    return {
        name: {"norm": short(t.norm())[0], "samples": short(t.flatten()[[t.numel() * i // 7 for i in range(7)]])}
        for name, t in tensors
    }


def facts(has_attention):
    network = fill(MeanSpot(has_attention)).double()
    images = uniform("train", (8, 3, 42, 42), -1, 1).double()
    tests = uniform("test", (4, 3, 42, 42), -1, 1).double()
    mean, deviation = images.mean((0, 2, 3), keepdim=True), images.std((0, 2, 3), correction=0, keepdim=True)
    images, tests = (images - mean) / deviation, (tests - mean) / deviation
    targets = uniform("train targets", (8,), 100, 900).double()
    test_targets = uniform("test targets", (4,), 100, 900).double()
    level, spread = targets.mean(), targets.std(correction=0)
    network.eval()
    logits = short(network(images))
    shapes = network.shapes
    network.train()
    loss = F.mse_loss(network(images), (targets - level) / spread) + network.penalty()
    loss.backward()
    gradients = summary((name, p.grad) for name, p in network.named_parameters())
    torch.optim.SGD(network.parameters(), 0.01, weight_decay=1).step()
    state = summary((n, t) for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked"))
    network.eval()
    errors = network(tests) * spread + level - test_targets
    return {
        "parameters": sum(p.numel() for p in network.parameters()), "shapes": shapes, "logits": logits,
        "loss": loss.item(), "gradients": gradients, "state": state,
        "test": {"mse": (errors**2).mean().item(), "mae": errors.abs().mean().item()},
    }


if __name__ == "__main__":
    models = {"mean_spot": facts(False), "mean_spot_cbam": facts(True)}
    FILE.write_text(json.dumps(models, separators=(",", ":")) + "\n")
    print({name: (model["parameters"], model["shapes"], model["loss"], model["test"]) for name, model in models.items()})
