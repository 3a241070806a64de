#!/usr/bin/env python3
"""Write the facts that the Swift tests check: what PyTorch and torchvision compute on small seeded cases.

    python experiments/peers/make_fixtures.py

Everything is computed in float64 from inputs that are exact float32 numbers (three decimals, rounded to float32),
and written with at most 8 significant digits, so running it again gives the same files. A tensor is
{"shape": [...], "values": [...]}, flat in row-major order, in PyTorch's layouts: features NCHW, weights OIHW.

`Tests/KernelsTests/Fixtures/operators.json` is a list of cases:

    name           a unique name
    kernel         standard, 1x1, dilated, deformable, deformable-v2, shift or adder
    stride         [h, w]
    padding        [top, left, bottom, right]
    dilation       [h, w]
    groups         of the convolution
    offset_groups  of the offsets, 1 where there are none
    input          tensor [N, C, H, W]
    weight         tensor [O, C / groups, kh, kw]; absent for a shift without a 1x1 behind it
    bias           tensor [O], where there is one
    offset         tensor [N, 2 * offset_groups * kh * kw, OH, OW], (y, x) per tap, as torchvision's
    mask           tensor [N, offset_groups * kh * kw, OH, OW], of deformable-v2 only; multiplied as it is
    output         tensor [N, O, OH, OW]
    grad_output    tensor, the gradient that arrives at the output
    grad_input, grad_weight, grad_bias, grad_offset, grad_mask
                   tensors, present where the array itself is; the adder's are AdderNet's, its weight's unscaled

`Tests/LearningTests/Fixtures/optimisers.json` is an object:

    sgd            list of {name, learning_rate, momentum, nesterov, weight_decay, initial [6],
                   gradients [5][6], parameters [5][6] (after each step)}, torch.optim.SGD without dampening
    cross_entropy  list of {name, label_smoothing, logits (tensor), targets, loss, grad_logits (tensor)}, mean loss
    schedules      list of {name, rule, base_rate, rates, and t_max and eta_min (rule cosine), step_size and gamma
                   (rule step) or milestones and gamma (rule multistep)}; rates[e] is the rate of epoch e
    batch_norm     {epsilon, momentum, input, weight, bias, running_mean, running_var (before), output,
                   new_running_mean, new_running_var (after; the variance is the unbiased one), grad_output,
                   grad_input, grad_weight, grad_bias, evaluation_output (with the new running statistics)}
    pooling        list of {name, rule (max, average or adaptive_average), input, output, grad_output, grad_input,
                   and kernel, stride and padding ([h, w] each; an average counts the padding) or
                   output_size [h, w] (rule adaptive_average)}
    adder_rate     {eta, count, norm, gradient, scaled}: AdderNet's eta * sqrt(count) / norm * gradient (tensors)
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from compare_conv import INPUTS, evaluate, normal, off_grid, output_size

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPERATORS_FILE = ROOT / "Tests/KernelsTests/Fixtures/operators.json"
OPTIMISERS_FILE = ROOT / "Tests/LearningTests/Fixtures/optimisers.json"


# Operators


def operator_case(name, kernel, image, weight=None, **geometry):
    """A case with its facts: `image` [N,C,H,W], `weight` [O,C/groups,kh,kw]; the name seeds the numbers."""
    rng = np.random.default_rng(list(name.encode()))
    bias = geometry.pop("bias", False)
    reach = geometry.pop("reach", 2.5)
    case = {
        "name": name, "kernel": kernel, "stride": [1, 1], "padding": [0, 0, 0, 0], "dilation": [1, 1],
        "groups": 1, "offset_groups": 1, **geometry, "input": normal(rng, *image),
    }
    if weight:
        case["weight"] = normal(rng, *weight)
    if bias:
        case["bias"] = normal(rng, weight[0])
    if kernel.startswith("deformable"):
        top, left, bottom, right = case["padding"]
        size = output_size([image[2] + top + bottom, image[3] + left + right], weight[2:], case)
        samples = case["offset_groups"] * weight[2] * weight[3]
        case["offset"] = off_grid(rng, image[0], 2 * samples, *size, scale=reach)
        if kernel == "deformable-v2":
            mask = np.round(rng.uniform(0, 2, (image[0], samples, *size)), 3)
            case["mask"] = torch.from_numpy(mask.astype(np.float32))
    return case | evaluate(case, lambda shape: normal(rng, *shape))


def operator_cases():
    """The list of operators.json."""
    one, two = [1, 1, 1, 1], [2, 2, 2, 2]
    case = operator_case
    return [
        case("standard-1-channel", "standard", (1, 1, 5, 7), (2, 1, 3, 3), padding=one),
        case("standard-3-channels-batch-3-bias", "standard", (3, 3, 5, 4), (4, 3, 3, 3), padding=one, bias=True),
        case("standard-17-channels-batch-2", "standard", (2, 17, 4, 5), (13, 17, 3, 3), padding=one),
        case("standard-stride-2", "standard", (2, 5, 7, 6), (6, 5, 3, 3), stride=[2, 2], padding=one),
        case("standard-stride-3x2-bias", "standard", (1, 4, 8, 7), (9, 4, 3, 3), stride=[3, 2], bias=True),
        case("standard-stride-beyond-kernel", "standard", (1, 3, 8, 9), (5, 3, 2, 2), stride=[3, 4]),
        case("standard-1x3", "standard", (1, 4, 4, 6), (3, 4, 1, 3), padding=[0, 1, 0, 1]),
        case("standard-5x2", "standard", (1, 2, 7, 4), (3, 2, 5, 2), padding=[2, 0, 2, 0]),
        case("standard-2x2-padding-before", "standard", (1, 3, 4, 5), (4, 3, 2, 2), padding=[1, 1, 0, 0]),
        case("standard-4x4-padding-uneven", "standard", (1, 3, 6, 5), (4, 3, 4, 4), padding=[0, 3, 2, 1],
             stride=[2, 1]),
        case("standard-groups-2", "standard", (2, 6, 5, 4), (8, 3, 3, 3), padding=one, groups=2, bias=True),
        case("standard-depthwise", "standard", (1, 11, 5, 6), (11, 1, 3, 3), padding=one, groups=11),
        case("standard-depthwise-doubled-stride-2", "standard", (1, 5, 6, 5), (10, 1, 3, 3), stride=[2, 2],
             padding=one, groups=5),
        case("standard-one-pixel", "standard", (2, 5, 1, 1), (7, 5, 3, 3), padding=one, bias=True),
        case("1x1-stride-2", "1x1", (2, 7, 5, 4), (9, 7, 1, 1), stride=[2, 2], bias=True),
        case("dilated-2", "dilated", (1, 5, 6, 7), (4, 5, 3, 3), padding=two, dilation=[2, 2]),
        case("dilated-2x3-stride-2", "dilated", (2, 3, 8, 9), (5, 3, 3, 3), stride=[2, 2], padding=[2, 3, 2, 3],
             dilation=[2, 3], bias=True),
        case("deformable", "deformable", (2, 3, 5, 6), (4, 3, 3, 3), padding=one, bias=True),
        case("deformable-offset-groups-2-groups-2-stride-2", "deformable", (1, 4, 6, 5), (6, 2, 3, 3),
             stride=[2, 2], padding=one, groups=2, offset_groups=2),
        case("deformable-3x2-dilation-2", "deformable", (1, 3, 5, 5), (5, 3, 3, 2), padding=[2, 1, 2, 1],
             dilation=[2, 2], reach=4),
        case("deformable-v2", "deformable-v2", (1, 5, 4, 5), (6, 5, 3, 3), padding=one),
        case("deformable-v2-offset-groups-2-uneven", "deformable-v2", (2, 6, 5, 4), (4, 3, 2, 3),
             stride=[1, 2], padding=[1, 2, 0, 1], dilation=[1, 2], groups=2, offset_groups=2, bias=True, reach=4),
        case("shift-9-channels", "shift", (2, 9, 4, 5)),
        case("shift-20-channels-stride-2", "shift", (1, 20, 5, 6), stride=[2, 2]),
        case("shift-20-channels-weight-stride-2", "shift", (1, 20, 5, 4), (7, 20, 1, 1), stride=[2, 2], bias=True),
        case("adder", "adder", (2, 3, 5, 4), (4, 3, 3, 3), padding=one, bias=True),
        case("adder-17-channels-stride-2", "adder", (1, 17, 5, 6), (5, 17, 3, 3), stride=[2, 2], padding=one),
        case("adder-2x3-dilation-2-padding-uneven", "adder", (1, 4, 6, 7), (5, 4, 2, 3), padding=[1, 2, 0, 3],
             dilation=[2, 2]),
    ]


# Learning


def sgd_case(rng, name, momentum=0.0, nesterov=False, weight_decay=0.0):
    """Five steps of torch.optim.SGD on a vector of six, with gradients from outside."""
    initial, gradients = normal(rng, 6), normal(rng, 5, 6)
    parameter = torch.nn.Parameter(initial.double())
    optimiser = torch.optim.SGD(
        [parameter], lr=0.1, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
    steps = []
    for gradient in gradients:
        parameter.grad = gradient.double()
        optimiser.step()
        steps.append(parameter.detach().tolist())
    return {
        "name": name, "learning_rate": 0.1, "momentum": momentum, "nesterov": nesterov,
        "weight_decay": weight_decay, "initial": initial.tolist(), "gradients": gradients.tolist(),
        "parameters": steps,
    }


def cross_entropy_case(rng, name, label_smoothing):
    """Mean cross entropy of 5 x 10 logits, with its gradient."""
    logits, targets = normal(rng, 5, 10, scale=2), torch.tensor([3, 0, 9, 3, 6])
    leaf = logits.double().requires_grad_()
    loss = F.cross_entropy(leaf, targets, label_smoothing=label_smoothing)
    loss.backward()
    return {
        "name": name, "label_smoothing": label_smoothing, "logits": logits, "targets": targets.tolist(),
        "loss": loss.item(), "grad_logits": leaf.grad,
    }


def schedule_case(name, rule, epochs, base_rate=0.1, **parameters):
    """The learning rate of each epoch."""
    schedules = torch.optim.lr_scheduler
    kinds = {"cosine": schedules.CosineAnnealingLR, "step": schedules.StepLR, "multistep": schedules.MultiStepLR}
    names = {"t_max": "T_max"}
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base_rate)
    scheduler = kinds[rule](optimiser, **{names.get(key, key): value for key, value in parameters.items()})
    rates = []
    for _ in range(epochs):
        rates.append(scheduler.get_last_lr()[0])
        optimiser.step()
        scheduler.step()
    return {"name": name, "rule": rule, "base_rate": base_rate, **parameters, "rates": rates}


def batch_norm_case(rng):
    """One training step of BatchNorm2d on 2 x 3 x 3 x 5, then an evaluation."""
    x, grad_output = normal(rng, 2, 3, 3, 5, scale=1.5) + 0.5, normal(rng, 2, 3, 3, 5)
    weight, bias, mean = normal(rng, 3), normal(rng, 3), normal(rng, 3)
    variance = torch.tensor([0.5, 1.25, 2.0])
    layer = torch.nn.BatchNorm2d(3).double()
    with torch.no_grad():
        for target, source in ((layer.weight, weight), (layer.bias, bias), (layer.running_mean, mean),
                               (layer.running_var, variance)):
            target.copy_(source)
    leaf = x.double().requires_grad_()
    output = layer(leaf)
    output.backward(grad_output.double())
    return {
        "epsilon": layer.eps, "momentum": layer.momentum, "input": x, "weight": weight, "bias": bias,
        "running_mean": mean, "running_var": variance, "output": output.detach(),
        "new_running_mean": layer.running_mean, "new_running_var": layer.running_var,
        "grad_output": grad_output, "grad_input": leaf.grad, "grad_weight": layer.weight.grad,
        "grad_bias": layer.bias.grad, "evaluation_output": layer.eval()(leaf).detach(),
    }


def pooling_case(rng, name, rule, image, **parameters):
    """One pooling, forward and backward; the inputs are mostly negative, so that padding by zeros would show."""
    functions = {"max": F.max_pool2d, "average": F.avg_pool2d, "adaptive_average": F.adaptive_avg_pool2d}
    names = {"kernel": "kernel_size"}
    x = normal(rng, *image) - 1
    leaf = x.double().requires_grad_()
    output = functions[rule](leaf, **{names.get(key, key): tuple(value) for key, value in parameters.items()})
    grad_output = normal(rng, *output.shape)
    output.backward(grad_output.double())
    return {
        "name": name, "rule": rule, **parameters, "input": x, "output": output.detach(),
        "grad_output": grad_output, "grad_input": leaf.grad,
    }


def adder_rate(rng):
    """AdderNet's scaling of a weight gradient."""
    gradient, eta = normal(rng, 2, 3, 2, 2, scale=3), 0.2
    norm = gradient.double().norm().item()
    scaled = eta * math.sqrt(gradient.numel()) / norm * gradient.double()
    return {"eta": eta, "count": gradient.numel(), "norm": norm, "gradient": gradient, "scaled": scaled}


def optimiser_facts():
    """The object of optimisers.json."""
    rng = np.random.default_rng(2026)
    return {
        "sgd": [
            sgd_case(rng, "plain"),
            sgd_case(rng, "momentum", momentum=0.9),
            sgd_case(rng, "nesterov", momentum=0.9, nesterov=True),
            sgd_case(rng, "weight-decay", weight_decay=0.05),
            sgd_case(rng, "momentum-weight-decay", momentum=0.9, weight_decay=0.05),
            sgd_case(rng, "nesterov-weight-decay", momentum=0.9, nesterov=True, weight_decay=0.05),
        ],
        "cross_entropy": [
            cross_entropy_case(rng, "plain", 0.0),
            cross_entropy_case(rng, "label-smoothing", 0.1),
        ],
        "schedules": [
            schedule_case("cosine", "cosine", 11, t_max=10, eta_min=0.0),
            schedule_case("cosine-to-minimum", "cosine", 8, base_rate=0.05, t_max=7, eta_min=0.001),
            schedule_case("step", "step", 10, step_size=3, gamma=0.1),
            schedule_case("multistep", "multistep", 10, milestones=[2, 5, 8], gamma=0.2),
        ],
        "batch_norm": batch_norm_case(rng),
        "pooling": [
            pooling_case(rng, "max-3x3-stride-2-padding-1", "max", (2, 3, 7, 6), kernel=[3, 3], stride=[2, 2],
                         padding=[1, 1]),
            pooling_case(rng, "average-2x2-stride-2", "average", (2, 3, 6, 5), kernel=[2, 2], stride=[2, 2],
                         padding=[0, 0]),
            pooling_case(rng, "average-3x3-stride-2-padding-1", "average", (1, 3, 6, 7), kernel=[3, 3],
                         stride=[2, 2], padding=[1, 1]),
            pooling_case(rng, "adaptive-7x5-to-3x2", "adaptive_average", (2, 3, 7, 5), output_size=[3, 2]),
            pooling_case(rng, "adaptive-to-one", "adaptive_average", (2, 5, 4, 3), output_size=[1, 1]),
        ],
        "adder_rate": adder_rate(rng),
    }


# Writing


def plain(value):
    """A value as JSON takes it: tensors as shape and values, numbers with at most 8 significant digits."""
    if isinstance(value, torch.Tensor):
        return {"shape": list(value.shape), "values": plain(value.detach().flatten().tolist())}
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return float(f"{value:.8g}") + 0.0 if isinstance(value, float) else value


def text(value, depth):
    """JSON with one line per entry down to `depth` levels, and compact below."""
    if depth == 0 or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    if isinstance(value, list):
        return "[\n" + ",\n".join(text(entry, depth - 1) for entry in value) + "\n]"
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {text(entry, depth - 1)}" for key, entry in value.items()) + "\n}"


def write(path, facts, depth):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(plain(facts), depth) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def main():
    torch.set_num_threads(1)
    order = ["name", "kernel", "stride", "padding", "dilation", "groups", "offset_groups", *INPUTS, "output",
             "grad_output", *(f"grad_{name}" for name in INPUTS)]
    cases = [{key: case[key] for key in order if key in case} for case in operator_cases()]
    write(OPERATORS_FILE, cases, depth=2)
    write(OPTIMISERS_FILE, optimiser_facts(), depth=3)


if __name__ == "__main__":
    main()
