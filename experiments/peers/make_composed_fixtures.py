#!/usr/bin/env python3
"""Write the facts about composed kernels that the Swift tests check, as PyTorch and torchvision compute them.

    python experiments/peers/make_composed_fixtures.py

Everything is computed in float64, in training, from float32 numbers of three decimals; written with 8 digits.
`Tests/KernelsTests/Fixtures/composed.json` is a list of cases:

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
from torchvision.ops import SqueezeExcitation, deform_conv2d

FILE = pathlib.Path(__file__).resolve().parents[2] / "Tests/KernelsTests/Fixtures/composed.json"


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


def conv(x, w, name, outputs, window=1, stride=1, dilation=1, groups=1, biased=False):
    """A convolution that keeps the size, but for the stride."""
    kh, kw = (window, window) if isinstance(window, int) else window
    weight = w(f"{name}.weight", outputs, x.shape[1] // groups, kh, kw)
    padding = (kh // 2 * dilation, kw // 2 * dilation)
    bias = w(f"{name}.bias", outputs) if biased else None
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


def norm(x, w, name):
    return F.batch_norm(x, None, None, w(f"{name}.weight", x.shape[1]), w(f"{name}.bias", x.shape[1]), training=True)


def separable(x, w, o, s):
    y = F.relu(conv(x, w, "depthwise", x.shape[1], 3, s, groups=x.shape[1]))
    return conv(y, w, "pointwise", o)


def asymmetric(x, w, o, s):
    return conv(F.relu(conv(x, w, "column", o, (3, 1), (s, 1))), w, "row", o, (1, 3), (1, s))


def asymmetric_block(biased):
    def apply(x, w, o, s):
        y = F.relu(conv(x, w, "reduce", o // 4, biased=biased))
        y = F.relu(conv(y, w, "column", o // 4, (3, 1), (s, 1), biased=biased))
        y = F.relu(conv(y, w, "row", o // 4, (1, 3), (1, s), biased=biased))
        return conv(y, w, "expand", o, biased=biased)

    return apply


def acnet(x, w, o, s):
    windows = {"square": 3, "column": (3, 1), "row": (1, 3)}
    return sum(norm(conv(x, w, f"{n}.conv", o, k, s), w, f"{n}.bn") for n, k in windows.items())


def small_stack(x, w, o, s):
    return conv(F.relu(conv(F.relu(conv(x, w, "conv1", o, 3, s)), w, "conv2", o, 3)), w, "conv3", o, 3)


def cascaded(x, w, o, s):
    y = F.relu(conv(x, w, "conv1", o, 3, s, 1))
    return conv(F.relu(conv(y, w, "conv2", o, 3, 1, 2)), w, "conv3", o, 3, 1, 5)


def multi_scale(x, w, o, s):
    return torch.cat([conv(x, w, "conv1", o // 4, 1, s), conv(x, w, "conv3", o // 2, 3, s),
                      conv(x, w, "conv5", o // 4, 5, s)], 1)


def aspp(normalized):
    def apply(x, w, o, s):
        width = o // 4

        def branch(x, name, *arguments):
            y = conv(x, w, f"branches.{name}.conv", width, *arguments)
            return F.relu(norm(y, w, f"branches.{name}.bn") if normalized else y)

        parts = [branch(x, "point", 1, s), branch(x, "rate1", 3, s, 1), branch(x, "rate2", 3, s, 3)]
        if not normalized:
            pooled = branch(F.adaptive_avg_pool2d(x, 1), "pool")
            parts.append(F.interpolate(pooled, parts[0].shape[2:], mode="bilinear", align_corners=False))
        return conv(torch.cat(parts, 1), w, "project", o)

    return apply


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


def non_local(form, sub):
    def apply(x, w, o, s):
        inner = x.shape[1] // 2
        pool = (lambda t: F.max_pool2d(t, sub)) if sub > 1 else (lambda t: t)
        v = pool(conv(x, w, "attention.g", inner))
        if form == "gaussian":
            q, k = x[:, :, ::s, ::s], pool(x)
        else:
            q, k = conv(x, w, "attention.theta", inner, 1, s), pool(conv(x, w, "attention.phi", inner))
        size, flat = q.shape[2:], (lambda t: t.flatten(2))
        q, k, v = flat(q).transpose(1, 2), flat(k), flat(v).transpose(1, 2)
        if form == "concatenation":
            weight = w("attention.concat.weight", 1, 2 * inner, 1, 1).reshape(-1)
            a = F.relu((q @ weight[:inner])[:, :, None] + (weight[inner:] @ k)[:, None, :]) / k.shape[2]
        elif form == "dot":
            a = q @ k / k.shape[2]
        else:
            a = torch.softmax(q @ k, -1)
        y = (a @ v).transpose(1, 2).reshape(x.shape[0], inner, *size)
        z = norm(conv(y, w, "w", o), w, "bn")
        return z + (x if s == 1 and o == x.shape[1] else conv(x, w, "shortcut", o, 1, s))

    return apply


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
    ("depthwise-separable:activation=relu", separable, 6, 10, 2), ("asymmetric", asymmetric, 5, 7, 2),
    ("asymmetric:form=block", asymmetric_block(False), 6, 12, 1), ("asymmetric:form=acnet", acnet, 5, 6, 1),
    ("small-stack:reach=7", small_stack, 4, 5, 2), ("cascaded", cascaded, 4, 5, 1),
    ("multi-scale", multi_scale, 5, 8, 2), ("aspp:rates=1-3", aspp(False), 5, 8, 2),
    ("aspp:rates=1-3:pooling=off:normalization=batch", aspp(True), 5, 8, 1), ("active", active, 5, 6, 2),
    ("active-shift:pointwise=always", active_shift, 11, 6, 2), ("shift:block=csc:expansion=2", csc, 6, 10, 2),
    ("non-local", non_local("embedded", 2), 6, 6, 1), ("non-local:form=gaussian", non_local("gaussian", 2), 6, 8, 2),
    ("non-local:form=dot:subsample=1", non_local("dot", 1), 6, 6, 1),
    ("non-local:form=concatenation", non_local("concatenation", 2), 6, 6, 1),
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
    FILE.write_text(json.dumps([case(*c) for c in CASES], separators=(",", ":")) + "\n")
