#!/usr/bin/env python3
"""Write the facts about the blocks of `--block` that the Swift tests check, as PyTorch computes them.

    python experiments/peers/make_block_fixture.py

`Tests/NetworksTests/Fixtures/blocks.json` is a list of {block, conv, images, shape (NCHW), labels, margin, logits, loss,
gradients}: bottleneck20 with a quarter of the channels, its bottlenecks replaced, with two kernels in the place of each
3×3. `logits` are those in inference, flat; the rest is a step in training, as make_network_fixtures.py has it: `margin` is how
near an input of a ReLU or ReLU6 comes to a kink, `images` the label of the random images among forty that keep it largest,
`gradients` the norm of each parameter's gradient and seven of its elements. Weights depend on their names alone
(networks.py). Everything is computed in float64 from float32 values.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from make_network_fixtures import ROOT, rounded, write
from networks import fill, uniform

KERNELS = {"standard": (3, False), "depthwise:window=5": (5, True)}  # the window, and whether each channel is by itself


def spatial(conv, inputs, outputs, stride=1, bias=False):
    window, depthwise = KERNELS[conv]
    groups = inputs if depthwise else 1
    if depthwise and outputs % inputs:
        raise ValueError("a depthwise kernel here keeps or multiplies the channels")
    return nn.Conv2d(inputs, outputs, window, stride, window // 2, groups=groups, bias=bias)


class InvertedResidual(nn.Module):
    """MobileNetV2, table 1 (arXiv:1801.04381)."""

    def __init__(self, conv, inputs, outputs, stride):
        super().__init__()
        inner = 6 * inputs
        self.conv1, self.bn1 = nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.relu1 = nn.ReLU6()
        self.conv2, self.bn2 = spatial(conv, inner, inner, stride), nn.BatchNorm2d(inner)
        self.relu2 = nn.ReLU6()
        self.conv3, self.bn3 = nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.keeps = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.relu2(self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x))))))
        y = self.bn3(self.conv3(y))
        return x + y if self.keeps else y


class ChannelNorm(nn.LayerNorm):
    """Over the channels of NCHW."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Scale(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x):
        return x * self.weight[:, None, None]


class ConvNeXt(nn.Module):
    """Figure 4 and appendix A of arXiv:2201.03545, with the layer between two stages in the second's first block."""

    def __init__(self, conv, inputs, width, stride):
        super().__init__()
        if stride > 1 or inputs != width:
            self.downsample = nn.Sequential(ChannelNorm(inputs), nn.Conv2d(inputs, width, stride, stride))
        self.conv1, self.norm = spatial(conv, width, width, bias=True), ChannelNorm(width)
        self.conv2, self.conv3 = nn.Conv2d(width, 4 * width, 1), nn.Conv2d(4 * width, width, 1)
        self.scale = Scale(width)

    def forward(self, x):
        if hasattr(self, "downsample"):
            x = self.downsample(x)
        return x + self.scale(self.conv3(F.gelu(self.conv2(self.norm(self.conv1(x))))))


class RepVGG(nn.Module):
    """Figure 2 of arXiv:2101.03697, in training."""

    def __init__(self, conv, inputs, outputs, stride):
        super().__init__()

        def branch(convolution):
            part = nn.Module()
            part.conv, part.bn = convolution, nn.BatchNorm2d(outputs)
            return part

        self.dense = branch(spatial(conv, inputs, outputs, stride))
        self.point = branch(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
        if stride == 1 and inputs == outputs:
            self.identity = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()

    def forward(self, x):
        y = self.dense.bn(self.dense.conv(x)) + self.point.bn(self.point.conv(x))
        return self.relu(y + self.identity(x) if hasattr(self, "identity") else y)


class Network(nn.Module):
    """bottleneck20 (two blocks in each of three stages) with a quarter of the channels."""

    def __init__(self, block, conv, classes=10):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU()
        self.layer1 = nn.Sequential(block(conv, 4, 4, 1), block(conv, 4, 4, 1))
        self.layer2 = nn.Sequential(block(conv, 4, 8, 2), block(conv, 8, 8, 1))
        self.layer3 = nn.Sequential(block(conv, 8, 16, 2), block(conv, 16, 16, 1))
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def case(name, block, conv):
    shape, labels = (2, 3, 13, 16), [3, 1]

    def network():
        return fill(Network(block, conv)).double()

    def run(label):
        trained, margins = network().train(), []

        def look(module, inputs):
            x = inputs[0]
            margins.append(x.abs().min().item())
            if isinstance(module, nn.ReLU6):
                margins.append((x - 6).abs().min().item())

        for module in trained.modules():
            if isinstance(module, (nn.ReLU, nn.ReLU6)):
                module.register_forward_pre_hook(look)
        loss = F.cross_entropy(trained(uniform(label, shape, -1, 1).double()), torch.tensor(labels))
        return min(margins), loss, trained

    label = max((f"images {index}" for index in range(40)), key=lambda label: run(label)[0])
    margin, loss, trained = run(label)
    loss.backward()
    gradients = {}
    for parameter_name, parameter in trained.named_parameters():
        flat = parameter.grad.flatten()
        samples = flat[[len(flat) * i // 7 for i in range(7)]]
        gradients[parameter_name] = {"norm": rounded([flat.norm()])[0], "samples": rounded(samples)}
    with torch.no_grad():
        logits = network().eval()(uniform(label, shape, -1, 1).double())
    return {
        "block": name, "conv": conv, "images": label, "shape": shape, "labels": labels, "margin": margin,
        "logits": rounded(logits.numpy()), "loss": loss.item(), "gradients": gradients,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    blocks = {"inverted-residual": InvertedResidual, "convnext": ConvNeXt, "repvgg": RepVGG}
    facts = [case(name, block, conv) for name, block in blocks.items() for conv in KERNELS]
    for fact in facts:
        print(f"{fact['block']}, {fact['conv']}: margin {fact['margin']:.2g}, loss {fact['loss']:.4f}")
    write(ROOT / "Tests/NetworksTests/Fixtures/blocks.json", facts)
