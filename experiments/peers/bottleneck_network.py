"""bottleneck20 (He et al., 2015, section 4.2, with bottlenecks) as one writes it for PyTorch's speed, with a kernel for each
3×3: what `compare_speed.py` times a training step of. Kernels' meanings are docs/kernels.md's; `kernels.py` has them for
their values."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision


class Shift(nn.Module):
    """A depthwise convolution with one 1 in each window that learns nothing: faster here than slices that are joined."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        weight, whole = torch.zeros(inputs, 1, 3, 3), inputs // 9 * 9
        for c in range(inputs):
            weight[c, 0, c // 3 % 3 if c < whole else 1, c % 3 if c < whole else 1] = 1
        self.register_buffer("weight", weight)
        self.stride = stride
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()

    def forward(self, x):
        return self.pointwise(F.conv2d(x, self.weight, None, self.stride, 1, groups=x.shape[1]))


class Deformable(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.offset = nn.Conv2d(inputs, 18, 3, stride, 1)
        nn.init.zeros_(self.offset.weight)
        self.convolution = torchvision.ops.DeformConv2d(inputs, outputs, 3, stride, 1, bias=False)

    def forward(self, x):
        return self.convolution(x, self.offset(x))


class Adder(nn.Module):
    """With AdderNet's gradients, the sums taken by PyTorch's own distance."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.weight, self.stride = nn.Parameter(torch.randn(outputs, 9 * inputs)), stride

    def forward(self, x):
        size = [(extent - 1) // self.stride + 1 for extent in x.shape[2:]]
        columns = F.unfold(x, 3, padding=1, stride=self.stride).transpose(1, 2)
        return Distances.apply(columns, self.weight).transpose(1, 2).unflatten(2, size)


class Distances(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return -torch.cdist(x, w.expand(len(x), -1, -1), p=1)

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        dx = torch.zeros_like(x)
        for output in range(len(w)):
            dx += (w[output] - x).clamp_(-1, 1) * g[..., output : output + 1]
        return dx, torch.einsum("bpo,bpi->oi", g, x) - w * g.sum((0, 1))[:, None]


def kernel(name, inputs, outputs, stride):
    def convolution(**options):
        return nn.Conv2d(inputs, outputs, 3, stride, bias=False, **{"padding": 1, **options})

    return {
        "standard": convolution,
        "dilated": lambda: convolution(padding=2, dilation=2),
        "depthwise": lambda: convolution(groups=inputs),
        "squeeze-excite": lambda: nn.Sequential(
            convolution(), torchvision.ops.SqueezeExcitation(outputs, max(1, outputs // 16))),
        "shift": lambda: Shift(inputs, outputs, stride),
        "deformable": lambda: Deformable(inputs, outputs, stride),
        "adder": lambda: Adder(inputs, outputs, stride),
    }[name]()


class Bottleneck(nn.Module):
    def __init__(self, name, inputs, width, stride):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(True),
            kernel(name, width, width, stride), nn.BatchNorm2d(width), nn.ReLU(True),
            nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width))
        self.downsample = nn.Identity()
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        return F.relu(self.main(x) + self.downsample(x), inplace=True)


def bottleneck20(name, channels=1, classes=10):
    layers, inputs = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)], 16
    for stage, width in enumerate((16, 32, 64)):
        for number in range(2):
            layers.append(Bottleneck(name, inputs, width, 2 if stage and not number else 1))
            inputs = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
