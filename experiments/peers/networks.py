"""PyTorch networks that torchvision lacks, and weights that a few lines of any language can make again."""

import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision


class BasicBlock(nn.Module):
    """He et al.'s block for CIFAR, with the shortcut of option A."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.missing = stride, outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            half = self.missing // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.missing - half))
        return F.relu(y + x)


class CifarResNet(nn.Module):
    """ResNet-(6n + 2) of He et al. (2015, section 4.2), under torchvision's names."""

    def __init__(self, depth=20, channels=3, classes=10):
        super().__init__()
        count = (depth - 2) // 6
        self.conv1, self.bn1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        inputs = 16
        for stage, width in enumerate((16, 32, 64), 1):
            blocks = []
            for block in range(count):
                blocks.append(BasicBlock(inputs, width, 2 if stage > 1 and block == 0 else 1))
                inputs = width
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


RESIDUAL = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2")
OTHERS = ("squeezenet1_1", "mobilenet_v1", "mobilenet_v2", "googlenet", "xception", "deeplabv3_resnet50")


class Logits(nn.Module):
    """A segmentation network that returns its logits, not a dictionary."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)["out"]


def peer(model, classes):
    """A network of torchvision's or timm's by our name, and the one whose state its weights are."""
    if model in ("mobilenet_v1", "xception"):
        import timm

        names = {"mobilenet_v1": "mobilenetv1_100", "xception": "legacy_xception"}
        network = timm.create_model(names[model], num_classes=classes)
    elif model == "deeplabv3_resnet50":
        network = torchvision.models.segmentation.deeplabv3_resnet50(
            weights=None, weights_backbone=None, num_classes=classes, aux_loss=False
        )
        return Logits(network), network
    elif model == "googlenet":
        network = torchvision.models.googlenet(num_classes=classes, aux_logits=False, init_weights=False)
    else:
        network = getattr(torchvision.models, model)(num_classes=classes)
    return network, network


GAMMA, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def uniform(labels, shape, low, high, seed=0):
    """What `Random(seed: seed).split(label)` draws, or with several labels one split after the other: SplitMix64, each
    label hashed by FNV-1a."""
    start = mix((seed + GAMMA) & MASK)
    for label in [labels] if isinstance(labels, str) else labels:
        hashed = 0xCBF29CE484222325
        for byte in label.encode():
            hashed = ((hashed ^ byte) * 0x100000001B3) & MASK
        start = mix(((start ^ mix(hashed)) + GAMMA) & MASK)
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.uint64(GAMMA) * np.arange(1, math.prod(shape) + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return torch.from_numpy((low + unit * (high - low)).astype(np.float32).reshape(shape))


def filling(name, shape, seed=0):
    """The value of a weight or running statistic, which depends on its name and the seed alone."""
    if len(shape) > 1:
        bound = math.sqrt(6 / math.prod(shape[1:]))
        low, high = -bound, bound
    elif name.endswith("running_var"):
        low, high = 0.5, 1.5
    elif name.endswith("weight"):
        low, high = 0.3, 0.7
    else:
        low, high = -0.2, 0.2
    return uniform(name, shape, low, high, seed)


def fill(network):
    """Gives every weight and running statistic a value that depends on its name alone."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(filling(name, tuple(tensor.shape)))
    return network
