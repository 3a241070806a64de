#!/usr/bin/env python3
"""Turn a checkpoint of PyTorch, torchvision or timm into a safetensors file for `experiment`.

    pip install torch safetensors torchvision timm
    python experiments/peers/convert_checkpoint.py torchvision:resnet50 resnet50.safetensors
    python experiments/peers/convert_checkpoint.py timm:resnet50.a1_in1k resnet50.safetensors
    python experiments/peers/convert_checkpoint.py checkpoint.pth net.safetensors

The first two download pretrained weights. A file holds a state dict, or a dict with one under `state_dict`, `model` or
`model_ema`, or under the key of `--key`; the prefix `module.` of parallel training is dropped.
"""

import argparse
import sys

import torch
from safetensors.torch import save_file


def load(source, key):
    kind, _, name = source.partition(":")
    if kind == "torchvision":
        import torchvision

        return torchvision.models.get_model(name, weights="DEFAULT").state_dict()
    if kind == "timm":
        import timm

        return timm.create_model(name, pretrained=True).state_dict()
    found = torch.load(source, map_location="cpu", weights_only=True)
    keys = [key] if key else ["state_dict", "model", "model_ema"]
    inner = next((found[key] for key in keys if isinstance(found.get(key), dict)), None)
    if key and inner is None:
        sys.exit(f"{source} has no dict under {key}; its keys are {listed(found)}.")
    return found if inner is None else inner


def listed(names, most=20):
    names = [str(name) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="torchvision:NAME, timm:NAME or a file of PyTorch's")
    parser.add_argument("output", help="the safetensors file")
    parser.add_argument("--key", help="where a file has the state dict, such as net")
    arguments = parser.parse_args()
    found = load(arguments.source, arguments.key)
    state = {
        name.removeprefix("module."): tensor.contiguous() for name, tensor in found.items() if torch.is_tensor(tensor)
    }
    if not state:
        sys.exit(f"There are no tensors among the keys {listed(found)}; name the one with the state dict by --key.")
    save_file(state, arguments.output)
    print(f"{len(state)} tensors, {sum(tensor.numel() for tensor in state.values()):,} values: {arguments.output}")


if __name__ == "__main__":
    main()
