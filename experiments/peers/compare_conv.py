#!/usr/bin/env python3
"""Check `experiment conv` against PyTorch and torchvision on random shapes.

    python experiments/peers/compare_conv.py --cases 80 --seed 1

Every case draws an operator's geometry and arrays, writes them as .npy files (NCHW features, OIHW weights),
runs `experiment conv` forward and backward, and computes the same in float64. An error is the largest absolute
difference of an array divided by the largest absolute value of the expected one (by at least 0.1, so that a lone
sum that happens to cancel is not judged by its rounding). The exit status is 1 if an error exceeds the tolerance
or a run fails; the command lines of those cases are printed and their files kept.

`--conv` selects among the operators, which take turns. The same seed gives the same cases, and more `--cases` only
add to them.
"""

import argparse
import math
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

OPERATORS = ("standard", "1x1", "dilated", "deformable", "deformable-v2", "shift", "adder", "fft")
INPUTS = ("input", "weight", "bias", "offset", "mask")
MAX_MACS = 2_000_000


# What the peers compute


def deformed(x, case):
    """Deformable convolution: torchvision's, v2 where there is a mask."""
    from torchvision.ops import deform_conv2d

    return deform_conv2d(
        x, case["offset"], case["weight"], case.get("bias"), stride=tuple(case["stride"]),
        dilation=tuple(case["dilation"]), mask=case.get("mask"))


def convolved(x, case):
    """Cross-correlation of the padded x [N,C,H,W] with the weight [O,C/groups,kh,kw]."""
    return F.conv2d(x, case["weight"], case.get("bias"), case["stride"], 0, case["dilation"], case["groups"])


def shifted(x, case):
    """Channel c reads x[h + dy, w + dx]; the stride subsamples; a 1x1 convolution follows if there is a weight."""
    channels, height, width = x.shape[1:]
    padded = F.pad(x, (1, 1, 1, 1))
    planes = []
    for c in range(channels):
        stays = c >= channels // 9 * 9
        dx, dy = (0, 0) if stays else (c % 3 - 1, c // 3 % 3 - 1)
        planes.append(padded[:, c, 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width])
    y = torch.stack(planes, 1)[:, :, :: case["stride"][0], :: case["stride"][1]]
    return F.conv2d(y, case["weight"], case.get("bias")) if "weight" in case else y


class Distance(torch.autograd.Function):
    """AdderNet's combination -sum |x - w| [N,G,O,L] of columns [N,G,K,L] and weights [G,O,K], with its gradients:
    (x - w) g for the weight, clamp(w - x, -1, 1) g for the columns, and no scaling of the learning rate."""

    @staticmethod
    def forward(ctx, columns, weight):
        ctx.save_for_backward(columns, weight)
        return -(columns[:, :, None] - weight[None, ..., None]).abs().sum(3)

    @staticmethod
    def backward(ctx, g):
        columns, weight = ctx.saved_tensors
        difference = columns[:, :, None] - weight[None, ..., None]
        g = g[:, :, :, None]
        return (-difference.clamp(-1, 1) * g).sum(2), (difference * g).sum((0, 4))


def added(x, case):
    """Adder layer; the zeros of the padding count."""
    weight, groups = case["weight"], case["groups"]
    kernel = weight.shape[2:]
    columns = F.unfold(x, kernel, tuple(case["dilation"]), 0, tuple(case["stride"]))
    columns = columns.reshape(x.shape[0], groups, -1, columns.shape[-1])
    y = Distance.apply(columns, weight.reshape(groups, weight.shape[0] // groups, -1))
    y = y.reshape(x.shape[0], weight.shape[0], *output_size(x.shape[2:], kernel, case))
    return y + case["bias"][:, None, None] if "bias" in case else y


def output_size(padded, kernel, case):
    """Height and width of the output over an image that is padded already."""
    return [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded, kernel, case["stride"], case["dilation"])
    ]


def forward(case):
    """The output of a case, whose arrays are tensors in PyTorch's layouts and whose `padding` is
    [top, left, bottom, right]. Padding first by zeros means the same for every operator."""
    top, left, bottom, right = case["padding"]
    x = F.pad(case["input"], (left, right, top, bottom))
    operator = {"deformable": deformed, "deformable-v2": deformed, "shift": shifted, "adder": added}
    return operator.get(case["kernel"], convolved)(x, case)


def evaluate(case, gradient):
    """The output of a case, the gradient `gradient(shape)` at it, and the gradients that follow, computed in
    float64 from the case's float32 arrays."""
    leaves = {name: case[name].double().requires_grad_() for name in INPUTS if name in case}
    output = forward({**case, **leaves})
    grad_output = gradient(tuple(output.shape))
    grads = torch.autograd.grad(output, list(leaves.values()), grad_output.double())
    facts = {"output": output.detach(), "grad_output": grad_output}
    return facts | {f"grad_{name}": grad for name, grad in zip(leaves, grads)}


# Random numbers and random cases


def normal(rng, *shape, scale=1.0):
    """Normal numbers of three decimals, as float32."""
    return torch.from_numpy(np.round(rng.normal(0, scale, shape), 3).astype(np.float32))


def off_grid(rng, *shape, scale):
    """Offsets whose fraction lies in 0.1 to 0.9: at integers the gradient to an offset jumps."""
    values = np.floor(rng.normal(0, scale, shape)) + rng.uniform(0.1, 0.9, shape)
    return torch.from_numpy(np.round(values, 3).astype(np.float32))


def random_geometry(rng, operator):
    """Shape of the input and the weight, and the geometry, or None where they do not fit each other."""

    def pick(*values):
        return int(rng.choice(values))

    def pair(*values):
        return [pick(*values)] * 2 if rng.random() < 0.6 else [pick(*values), pick(*values)]

    pointwise, moved = operator in ("1x1", "shift"), operator.startswith("deformable")
    sizes = (1, 2, 3, 4, 5, 7, 11) if operator == "fft" else (1, 2, 3, 3, 3, 4, 5)
    kernel = [1, 1] if pointwise else pair(*sizes)
    dilation = [1, 1] if pointwise else pair(2, 2, 3) if operator == "dilated" else pair(1, 1, 1, 1, 2)
    padding = [0, 0] if operator == "shift" else pair(0, 0, 0, 1) if pointwise else pair(0, 1, 1, 2, 3)
    stride = pair(1, 1, 1, 2, 3, 4)
    image = [1, 1] if rng.random() < 0.08 else pair(*range(1, 18))
    groups, c_in, c_out = 1, int(rng.integers(1, 41)), int(rng.integers(1, 41))
    style = rng.random()
    if operator != "shift" and style < 0.15:  # depthwise
        groups, c_out = c_in, c_in * pick(1, 1, 2)
    elif operator != "shift" and style < 0.4:
        groups = pick(2, 3, 4)
        c_in, c_out = (groups * int(rng.integers(1, 40 // groups + 1)) for _ in range(2))
    case = {"kernel": operator, "stride": stride, "dilation": dilation, "padding": padding * 2, "groups": groups}
    batch = int(rng.integers(1, 4))
    size = output_size([n + 2 * p for n, p in zip(image, padding)], kernel, case)
    work = batch * c_out * c_in // groups * math.prod(kernel) * math.prod(size)
    if min(size) < 1 or work > MAX_MACS:
        return None
    offset_groups = pick(*(n for n in range(1, min(c_in, 4) + 1) if c_in % n == 0)) if moved else 1
    return case, (batch, c_in, *image), (c_out, c_in // groups, *kernel), size, offset_groups


def random_case(rng, operator):
    """A case with the arrays that go in."""
    while (drawn := random_geometry(rng, operator)) is None:
        pass
    case, image, weight, size, offset_groups = drawn
    case["input"] = normal(rng, *image)
    if operator != "shift" or rng.random() < 0.5:
        case["weight"] = normal(rng, *weight)
        if rng.random() < 0.5:
            case["bias"] = normal(rng, weight[0])
    if operator.startswith("deformable"):
        samples = offset_groups * weight[2] * weight[3]
        scale = float(rng.choice([0.5, 2.0, 6.0]))
        case["offset"] = off_grid(rng, image[0], 2 * samples, *size, scale=scale)
        if operator == "deformable-v2":
            mask = np.round(rng.uniform(0, 2, (image[0], samples, *size)), 3)
            case["mask"] = torch.from_numpy(mask.astype(np.float32))
    return case


# Running the command


def size_text(size):
    """A size as the command line takes it: N or HxW."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def command_line(experiment, case, folder):
    """The command for a case, whose arrays lie in the folder, and the files it is to write."""
    command = [str(experiment), "conv", "--conv", case["kernel"]]
    present = [name for name in INPUTS if name in case]
    for name in present:
        command += [f"--{name}", str(folder / f"{name}.npy")]
    if case["stride"] != [1, 1]:
        command += ["--stride", size_text(case["stride"])]
    if case["kernel"] != "shift":
        command += ["--padding", size_text(case["padding"][:2])]
        if case["kernel"] != "1x1":
            command += ["--dilation", size_text(case["dilation"])]
        if case["groups"] != 1:
            command += ["--groups", str(case["groups"])]
    results = ["output"] + [f"grad_{name}" for name in present]
    command += ["--grad-output", str(folder / "grad_output.npy")]
    for name in results:
        command += [f"--{name.replace('_', '-')}", str(folder / f"{name}.npy")]
    return command, results


def difference(actual, expected):
    """Relative error of an array, infinite where its shape or type is wrong or a value is not finite."""
    if actual.shape != expected.shape or actual.dtype != np.float32 or not np.isfinite(actual).all():
        return math.inf
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 0.1))


def check(command, results, expected, folder):
    """Run the command; returns each array's error, or the sentence that says why there are none."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return {}, "no end after 300 seconds"
    except OSError as error:
        return {}, f"cannot be run: {error}"
    if run.returncode != 0:
        return {}, f"exit status {run.returncode}: {run.stderr.strip() or run.stdout.strip()}"
    errors = {}
    for name in results:
        try:
            errors[name] = difference(np.load(folder / f"{name}.npy"), expected[name])
        except (OSError, ValueError, EOFError) as error:
            return {}, f"{name}.npy cannot be read: {error}"
    return errors, None


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="Example: compare_conv.py --cases 80 --seed 1")
    parser.add_argument("--cases", type=int, default=80, help="number of random cases (80)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the cases (0)")
    parser.add_argument("--experiment", type=pathlib.Path, default=".build/debug/experiment", help="the binary")
    parser.add_argument("--conv", default=",".join(OPERATORS), help="operators, separated by commas (all)")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest relative error (1e-4)")
    options = parser.parse_args()
    options.operators = options.conv.split(",")
    for name in options.operators:
        if name not in OPERATORS:
            parser.error(f"unknown operator {name}; there are {', '.join(OPERATORS)}")
    if options.cases < 1 or options.seed < 0:
        parser.error("--cases must be at least 1 and --seed at least 0")
    if not options.experiment.is_file():
        parser.error(f"{options.experiment} does not exist: build it first, or name it with --experiment")
    return options


def main():
    options = arguments()
    torch.set_num_threads(1)
    root = pathlib.Path(tempfile.mkdtemp(prefix="compare-conv-"))
    experiment = options.experiment.resolve()
    counts, worst, failures = {}, {}, []
    for index in range(options.cases):
        operator = options.operators[index % len(options.operators)]
        rng = np.random.default_rng([options.seed, index, OPERATORS.index(operator)])
        case = random_case(rng, operator)
        expected = evaluate(case, lambda shape: normal(rng, *shape))
        folder = root / f"case-{index}-{operator}"
        folder.mkdir()
        arrays = {name: case[name] for name in INPUTS if name in case} | {"grad_output": expected["grad_output"]}
        for name, tensor in arrays.items():
            np.save(folder / f"{name}.npy", tensor.numpy())
        command, results = command_line(experiment, case, folder)
        errors, reason = check(command, results, {name: expected[name].numpy() for name in results}, folder)
        counts[operator] = counts.get(operator, 0) + 1
        for name, error in errors.items():
            worst[operator, name] = max(worst.get((operator, name), 0.0), error)
        wrong = [f"{name} off by {error:.2g}" for name, error in errors.items() if error > options.tolerance]
        if reason or wrong:
            shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in arrays.items())
            failures.append(f"{operator}, {shapes}\n  {reason or ', '.join(wrong)}\n  {shlex.join(command)}")
            for name in results:
                np.save(folder / f"expected_{name}.npy", expected[name].numpy())
        else:
            shutil.rmtree(folder)
        if sys.stderr.isatty():
            print(f"\r{index + 1} of {options.cases}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)

    columns = ["output"] + [f"grad_{name}" for name in INPUTS]
    print(f"{'operator':14}{'cases':>6}" + "".join(f"{name:>13}" for name in columns))
    for operator, count in counts.items():
        cells = (f"{worst[operator, name]:.1e}" if (operator, name) in worst else "" for name in columns)
        print(f"{operator:14}{count:6}" + "".join(f"{cell:>13}" for cell in cells))
    for failure in failures:
        print(f"\nfailed: {failure}")
    if failures:
        print(f"\n{len(failures)} of {options.cases} cases failed; their files are in {root}")
        return 1
    root.rmdir()
    print(f"\nall {options.cases} cases within {options.tolerance:g} of the largest absolute value")
    return 0


if __name__ == "__main__":
    sys.exit(main())
