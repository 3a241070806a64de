#!/usr/bin/env python3
"""Check `experiment export`: the files pass onnx.checker, and ONNX Runtime and PyTorch give `experiment logits`'s outputs.

    pip install torch torchvision safetensors numpy onnx onnxruntime
    swift build && python experiments/peers/compare_onnx.py

Every model of `experiment list` with its own kernel, every kernel in two models, and options of kernels in one. Weights
are random, the statistics of normalisations those of the images, found by PyTorch. Prints for each network the largest
difference of ONNX Runtime's and of PyTorch's logits to `experiment logits`, relative to the largest logit, and how far ONNX
Runtime's are from the same network in double precision: what rounding alone does in a deep network of random weights. Exits
with 1 if a difference is above 1e-5 and above three times that. `--only TEXT` takes the networks whose name has the text.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from onnx_network import Network
from safetensors import safe_open
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = str(ROOT / ".build/debug/experiment")
TOLERANCE = 1e-5
# Two models whose places differ: a residual network of plain convolutions, one of depthwise ones.
HOSTS = [("resnet20", (3, 32, 32)), ("mobilenet_v2", (3, 96, 96))]
OPTIONS = [
    "dilated:dilation=3", "adder:dilation=2", "deformable:combine=adder", "deformable-v2:combine=max-plus",
    "deformable-v2:mask=2sigmoid", "deformable:groups=2", "deformable:dilation=2", "active:combine=adder",
    "asymmetric:form=block", "asymmetric:form=acnet", "non-local:form=gaussian", "non-local:form=dot",
    "non-local:form=concatenation", "non-local:subsample=1", "cbam:around=deformable-v2:mask=2sigmoid",
    "squeeze-excite:around=shift", "aspp:normalization=batch", "shift+adder+deformable",
    "wavelet:levels=3", "odconv:filters=1", "coordinate-attention:around=kan", "large-kernel:form=stripes",
]
# Sizes of the images where the model's own would take minutes.
SMALLER = {"deeplabv3_resnet50": (3, 129, 129), "addernet_resnet50": (3, 96, 96), "xception": (3, 149, 149)}


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def listed():
    """The kernels and the models."""
    tables = json.loads(run("list", "--json"))
    return [row["kernel"] for row in tables["kernels"]], [row["model"] for row in tables["models"]]


def randomized(path, metadata):
    """Gives what starts at zero, or is a position, other values, so that nothing is hidden."""
    generator = torch.Generator().manual_seed(1)
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        metadata = {**file.metadata(), **metadata}
    last = "bn3" if any(".bn3." in name for name in tensors) else "bn2"
    for name, tensor in tensors.items():
        if name.endswith(f".{last}.weight"):
            # As in trained networks a block adds little to its shortcut. Where all add as much as there is, what is
            # rounded grows from block to block: to 1e-4 of the logits after 50 of random weights.
            tensor *= 0.2
        if name.endswith(("running_mean", "running_var")):
            continue
        if "offset" in name:
            spread = 0.02 if tensor.dim() == 4 else 1.0
            tensor += spread * torch.randn(tensor.shape, generator=generator)
        elif tensor.dim() == 1:
            tensor += 0.1 * torch.randn(tensor.shape, generator=generator)
    save_file(tensors, path, metadata=metadata)
    return tensors, metadata


def in_double(network, images):
    """The logits of the network in double precision."""
    network.tensors = {
        name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in network.tensors.items()
    }
    with torch.no_grad():
        return network(images.double()).numpy()


def pictures(shape, count=12):
    """Smooth forms and noise, of different contrast: images that a network tells apart.

    Where all images look alike, the last normalisations divide by hardly any spread and enlarge what is rounded.
    """
    generator = torch.Generator().manual_seed(2)
    coarse = torch.randn(count, shape[0], 4, 4, generator=generator)
    forms = torch.nn.functional.interpolate(coarse, shape[1:], mode="bilinear")
    contrast = torch.linspace(0.5, 2, count)[:, None, None, None]
    return contrast * (forms + 0.2 * torch.randn(count, *shape, generator=generator))


def compare(folder, model, kernel, shape):
    weights, net, x, y = (str(folder / name) for name in ("w.safetensors", "n.onnx", "x.npy", "y.npy"))
    which = [model] + (["--conv", kernel] if kernel else [])
    size = "x".join(map(str, shape))
    run("export", *which, "--input", size, "--output", weights)
    scale = {"target_mean": "3", "target_deviation": "10"} if model.startswith("mean_spot") else {}
    tensors, metadata = randomized(weights, scale)
    images = pictures(shape)
    np.save(x, images.numpy())

    def export():
        run("export", *which, "--input", size, "--weights", weights, "--output", net)
        return Network(net)

    # The statistics that the images give, so that values stay in range however deep the network is.
    network = export().train()
    if max(shape) > 64:
        images = images[:4]
        np.save(x, images.numpy())
    with torch.no_grad():
        network(images)
    for name in tensors:
        if name.endswith(("running_mean", "running_var")):
            tensors[name] = network.tensors[name]
    save_file(tensors, weights, metadata=metadata)
    network = export()
    onnx.checker.check_model(net, full_check=True)

    run("logits", *which, "--weights", weights, "--input", x, "--output", y)
    ours = np.load(y)
    session = onnxruntime.InferenceSession(net, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        others = [session.run(None, {"images": images.numpy()})[0], network(images).numpy()]
    exact = in_double(network, images)
    one = session.run(None, {"images": images[:1].numpy()})[0]
    largest = np.abs(ours).max()
    assert np.isfinite(largest) and largest > 0, f"the largest logit is {largest}"
    assert network.metadata["model"] == model and network.metadata["conv"], network.metadata
    errors = [np.abs(other - ours).max() / largest for other in others]
    errors.append(np.abs(others[0] - exact).max() / largest)
    errors.append(np.abs(one - others[0][:1]).max() / largest)
    return errors, pathlib.Path(net).stat().st_size / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="networks whose name has this text")
    parser.add_argument("--json", help="a file for the differences")
    arguments = parser.parse_args()
    kernels, models = listed()
    cases = [(model, None, SMALLER.get(model)) for model in models]
    cases += [(model, kernel, shape) for model, shape in HOSTS for kernel in kernels]
    cases += [("resnet20", kernel, HOSTS[0][1]) for kernel in OPTIONS]
    print("| network | images | ONNX Runtime | PyTorch | ONNX Runtime to double | one image alone | MB |\n|---|---|---|---|---|---|---|")
    failures, above, rows = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for model, kernel, shape in cases:
            name = model + (f" {kernel}" if kernel else "")
            if arguments.only not in name:
                continue
            if shape is None:
                shape = original_size(model)
            try:
                errors, size = compare(pathlib.Path(folder), model, kernel, shape)
            except subprocess.CalledProcessError as error:
                print(f"| {name} | refused: {error.stderr.strip().splitlines()[-1]} |", flush=True)
                failures += 1
                continue
            failed = max(errors) > max(TOLERANCE, 3 * errors[2])
            failures += int(failed)
            above += int(max(errors[:2]) > TOLERANCE)
            rows.append({"network": name, "errors": [float(error) for error in errors]})
            cells = " | ".join(f"{error:.0e}" for error in errors)
            print(f"| {name} | {'×'.join(map(str, shape))} | {cells} | {size:.1f} |{' ✗' if failed else ''}", flush=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=1))
    print(f"{len(rows)} networks, {above} above {TOLERANCE}, {failures} failures")
    sys.exit(1 if failures else 0)


def original_size(model):
    """The images that a model was made for, as the exported file has them."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "n.onnx")
        run("export", model, "--output", path)
        dimensions = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    return tuple(dimension.dim_value for dimension in dimensions[1:])


if __name__ == "__main__":
    main()
