#!/usr/bin/env python3
"""Turn a checkpoint of PyTorch, torchvision or timm into a safetensors file for `experiment`.

    pip install torch safetensors torchvision timm
    python experiments/peers/convert_checkpoint.py torchvision:resnet50 resnet50.safetensors
    python experiments/peers/convert_checkpoint.py timm:resnet50.a1_in1k resnet50.safetensors
    python experiments/peers/convert_checkpoint.py checkpoint.pth net.safetensors

The first two download pretrained weights. A file holds a state dict, or a dict with one under `state_dict`, `model` or
`model_ema`; the prefix `module.` of parallel training is dropped.
"""

import argparse

import torch
from safetensors.torch import save_file


def load(source):
    kind, _, name = source.partition(":")
    if kind == "torchvision":
        import torchvision

        return torchvision.models.get_model(name, weights="DEFAULT").state_dict()
    if kind == "timm":
        import timm

        return timm.create_model(name, pretrained=True).state_dict()
    found = torch.load(source, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model", "model_ema"):
        if isinstance(found.get(key), dict):
            found = found[key]
            break
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="torchvision:NAME, timm:NAME or a file of PyTorch's")
    parser.add_argument("output", help="the safetensors file")
    arguments = parser.parse_args()
    state = {
        name.removeprefix("module."): tensor.contiguous()
        for name, tensor in load(arguments.source).items()
        if torch.is_tensor(tensor)
    }
    save_file(state, arguments.output)
    print(f"{len(state)} tensors, {sum(tensor.numel() for tensor in state.values()):,} values: {arguments.output}")


if __name__ == "__main__":
    main()
