#!/usr/bin/env python3
"""Load a safetensors file that `experiment train --save` wrote into PyTorch, and apply it there.

    pip install torch torchvision timm safetensors numpy
    python experiments/peers/load_checkpoint.py resnet18 net.safetensors --input x.npy --output y.npy

The model is one of torchvision's, mobilenet_v1, xception, or resnet20, resnet32, … for small images. Every name must fit. With --input (images,
NCHW) its logits are written, so that they can be compared with those of `experiment logits`; --save writes a file for
torch.load.
"""

import argparse

import numpy as np
import torch
import torchvision
from networks import OTHERS, CifarResNet, peer
from safetensors.torch import load_file

SMALL = {f"resnet{depth}": depth for depth in (20, 32, 44, 56, 110)}


CLASSIFIERS = {
    "squeezenet1_1": "classifier.1.bias", "mobilenet_v1": "classifier.bias", "mobilenet_v2": "classifier.1.bias",
    "deeplabv3_resnet50": "classifier.4.bias",
}


def network(name, state):
    """A network, and the part of it whose state the file is."""
    if name in OTHERS:
        return peer(name, state[CLASSIFIERS.get(name, "fc.bias")].numel())
    made = residual(name, state)
    return made, made


def residual(name, state):
    classes, channels = state["fc.bias"].numel(), state["conv1.weight"].shape[1]
    if name in SMALL:
        return CifarResNet(SMALL[name], channels, classes)
    made = torchvision.models.get_model(name, num_classes=classes)
    if channels != 3:
        made.conv1 = torch.nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("weights", help="the safetensors file")
    parser.add_argument("--input", help="images, NCHW, .npy")
    parser.add_argument("--output", help="where their logits go, .npy")
    parser.add_argument("--save", help="where the state dict goes, .pth")
    arguments = parser.parse_args()
    state = load_file(arguments.weights)
    made, stateful = network(arguments.model, state)
    made.eval()
    # Batch counters, which the file leaves out, keep their zeros.
    missing, unexpected = stateful.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{arguments.weights} does not fit {arguments.model}: {missing + unexpected}")
    print(f"{arguments.model}: {sum(p.numel() for p in made.parameters()):,} parameters loaded")
    if arguments.input:
        with torch.no_grad():
            logits = made(torch.from_numpy(np.load(arguments.input)).float()).numpy()
        if arguments.output:
            np.save(arguments.output, logits)
        else:
            print(logits)
    if arguments.save:
        torch.save(stateful.state_dict(), arguments.save)


if __name__ == "__main__":
    main()
