#!/usr/bin/env python3
"""Write the facts about composed kernels that the Swift tests check, as PyTorch and torchvision compute them.

    python experiments/peers/make_composed_fixtures.py

Everything is computed in float64, in training, from float32 numbers of three decimals; written with 8 digits.
`Tests/KernelsTests/Fixtures/composed.json`, and `recent.json` for the operators of recent.py, are lists of cases:

    item         as `--conv` has it
    inputs, outputs, kernel, stride   of the place, whose padding keeps the size
    input, output, grad_output, grad_input   tensors [N, C, H, W]
    parameters, gradients   {name: tensor}, convolution weights OIHW
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from kernels import acnet, aspp, asymmetric, cascaded, conv, multi_scale, non_local, separable
from recent import CASES as RECENT
from torchvision.ops import SqueezeExcitation, deform_conv2d

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "Tests/KernelsTests/Fixtures"


class Weights:
    """Parameters by name, made when they are first asked for."""

    def __init__(self, seed):
        self.rng, self.values = np.random.default_rng(list(seed.encode())), {}

    def normal(self, *shape, scale=1.0):
        return torch.from_numpy(np.round(self.rng.standard_normal(shape) * scale, 3).astype(np.float32)).double()

    def __call__(self, name, *shape):
        if name not in self.values:
            fan = int(np.prod(shape[1:])) if len(shape) > 1 else 1
            self.values[name] = self.normal(*shape, scale=fan**-0.5).requires_grad_()
        return self.values[name]

    def uniform(self, name, low, high, *shape):
        drawn = np.round(self.rng.uniform(low, high, shape), 3).astype(np.float32)
        self.values[name] = torch.from_numpy(drawn).double().requires_grad_()
        return self.values[name]


def asymmetric_block(biased):
    def apply(x, w, o, s):
        y = F.relu(conv(x, w, "reduce", o // 4, bias=biased))
        y = F.relu(conv(y, w, "column", o // 4, (3, 1), (s, 1), bias=biased))
        y = F.relu(conv(y, w, "row", o // 4, (1, 3), (1, s), bias=biased))
        return conv(y, w, "expand", o, bias=biased)

    return apply


def small_stack(x, w, o, s):
    return conv(F.relu(conv(F.relu(conv(x, w, "conv1", o, 3, s)), w, "conv2", o, 3)), w, "conv3", o, 3)


def active(x, w, o, s):
    weight, offset = w("weight", o, x.shape[1], 3, 3), w.uniform("offset.taps", -1.8, 1.8, 18)
    size = [(extent - 1) // s + 1 for extent in x.shape[2:]]
    return deform_conv2d(x, offset.reshape(1, 18, 1, 1).expand(x.shape[0], 18, *size), weight, None, s, 1)


def active_shift(x, w, o, s):
    distance = w.uniform("shift.offset.channels", -2.3, 2.3, x.shape[1], 2)
    height, width = x.shape[2:]
    rows, columns = torch.meshgrid(torch.arange(0, height, s), torch.arange(0, width, s), indexing="ij")
    moved = []
    for channel in range(x.shape[1]):
        y, z = rows + distance[channel, 0], columns + distance[channel, 1]
        grid = torch.stack([2 * z / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
        grid = grid.expand(x.shape[0], *grid.shape)
        moved.append(F.grid_sample(x[:, channel : channel + 1], grid, "bilinear", "zeros", align_corners=True))
    return conv(torch.cat(moved, 1), w, "pointwise", o)


def csc(x, w, o, s):
    y = F.pad(F.relu(conv(x, w, "expand", 2 * o)), (1, 1, 1, 1))
    height, width = x.shape[2:]
    shifted, whole = [], 2 * o // 9 * 9
    for c in range(2 * o):
        dy, dx = (c // 3 % 3 - 1, c % 3 - 1) if c < whole else (0, 0)
        shifted.append(y[:, c, 1 + dy : 1 + dy + height : s, 1 + dx : 1 + dx + width : s])
    return conv(torch.stack(shifted, 1), w, "project", o)


def squeeze_excite(x, w, o, s):
    u = conv(x, w, "kernel", o, 3, s)
    layer = SqueezeExcitation(o, o // 4).double()
    names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    values = {n: w(f"attention.{n}", *dict(layer.named_parameters())[n].shape) for n in names}
    return torch.func.functional_call(layer, values, u)


def cbam(x, w, o, s):
    u = conv(x, w, "kernel", o, 3, s)

    def mlp(t):
        return conv(F.relu(conv(t, w, "channel.mlp.fc1", o // 4)), w, "channel.mlp.fc2", o)

    v = u * torch.sigmoid(mlp(u.mean((2, 3), keepdim=True)) + mlp(u.amax((2, 3), keepdim=True)))
    both = torch.cat([v.mean(1, keepdim=True), v.amax(1, keepdim=True)], 1)
    return v * torch.sigmoid(conv(both, w, "spatial.conv", 1, 7))


CASES = [
    ("depthwise-separable:activation=relu", separable(activation="relu"), 6, 10, 2),
    ("asymmetric", asymmetric, 5, 7, 2),
    ("asymmetric:form=block", asymmetric_block(False), 6, 12, 1), ("asymmetric:form=acnet", acnet, 5, 6, 1),
    ("small-stack:reach=7", small_stack, 4, 5, 2), ("cascaded", cascaded(1, 2, 5), 4, 5, 1),
    ("multi-scale", multi_scale, 5, 8, 2), ("aspp:rates=1-3", aspp((1, 3)), 5, 8, 2),
    ("aspp:rates=1-3:pooling=off:normalization=batch", aspp((1, 3), pooling=False, normalized=True), 5, 8, 1),
    ("active", active, 5, 6, 2),
    ("active-shift:pointwise=always", active_shift, 11, 6, 2), ("shift:block=csc:expansion=2", csc, 6, 10, 2),
    ("non-local", non_local("embedded"), 6, 6, 1), ("non-local:form=gaussian", non_local("gaussian"), 6, 8, 2),
    ("non-local:form=dot:subsample=1", non_local("dot", 1), 6, 6, 1),
    ("non-local:form=concatenation", non_local("concatenation"), 6, 6, 1),
    ("squeeze-excite:reduction=4", squeeze_excite, 5, 8, 1), ("cbam:reduction=4", cbam, 5, 8, 1),
    ("asymmetric:form=block:bias=yes", asymmetric_block(True), 6, 12, 2),
]


def tensor(values):
    return {"shape": list(values.shape), "values": [float(f"{v:.8g}") for v in values.detach().flatten().tolist()]}


def case(item, function, inputs, outputs, stride):
    w = Weights(item)
    x = w.normal(2, inputs, 7, 6).requires_grad_()
    y = function(x, w, outputs, stride)
    g = w.normal(*y.shape)
    found = torch.autograd.grad(y, [x, *w.values.values()], g)
    return {
        "item": item, "inputs": inputs, "outputs": outputs, "kernel": 3, "stride": stride, "input": tensor(x),
        "output": tensor(y), "grad_output": tensor(g), "grad_input": tensor(found[0]),
        "parameters": {n: tensor(v) for n, v in w.values.items()},
        "gradients": {n: tensor(v) for n, v in zip(w.values, found[1:])},
    }


if __name__ == "__main__":
    for name, cases in [("composed", CASES), ("recent", RECENT)]:
        text = json.dumps([case(*c) for c in cases], separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n")
