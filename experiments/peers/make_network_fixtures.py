#!/usr/bin/env python3
"""Write the facts about whole networks that the Swift tests check, as PyTorch and torchvision compute them.

    python experiments/peers/make_network_fixtures.py

Weights, running statistics and images are numbers that depend on their names alone (networks.py), so that no weights
need to be stored. Everything is computed in float64 from float32 values.

`Tests/NetworksTests/Fixtures/networks.json`:

    logits     list of {model, shape (NCHW), logits}: torchvision's and timm's networks with ten classes, in inference;
               logits are flat, of more than 256 those at 0, n / 256, 2 n / 256, …
    state      {model: {name: shape}}: what files of weights hold of networks that are not residual ones, at their
               own numbers of classes
    gradients  {images, shape, labels, margin, loss, gradients: {name: {norm, samples}}}: ResNet-18 in training,
               cross-entropy; images are named `images`; margin is the smallest input of a ReLU; samples are the
               elements at 0, n / 7, 2 n / 7, … of the flat array in PyTorch's order

`Tests/LearningTests/Fixtures/curve.json`:

    losses  those of 50 steps of ResNet-20 on the embedded digits, in double precision: batches of 32 in the data's
            order, SGD at 0.01 with momentum 0.9 and weight decay 1e-4
    spread  by how much they change, at most, in eight runs whose initial weights are perturbed by 1e-7 of themselves:
            their rounding in single precision, which training amplifies
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from networks import OTHERS, RESIDUAL, CifarResNet, fill, peer, uniform

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "Sources/Learning/Resources"
SPLIT = 1437  # `digits` has the reason


def rounded(values):
    return [float(f"{value:.8g}") for value in np.asarray(values, dtype=np.float64).ravel()]


def logits():
    cases = []
    for model in RESIDUAL + OTHERS:
        network, stateful = peer(model, 10)
        fill(stateful)
        network.double().eval()
        for shape in ((1, 3, 64, 64), (2, 3, 97, 130)):
            images = uniform("images", shape, -1, 1).double()
            with torch.no_grad():
                flat = network(images).flatten()
            count = min(len(flat), 256)
            values = flat[[len(flat) * index // count for index in range(count)]]
            cases.append({"model": model, "shape": shape, "logits": rounded(values)})
    return cases


def states():
    facts = {}
    for model in OTHERS:
        state = peer(model, 21 if model == "deeplabv3_resnet50" else 1000)[1].state_dict()
        facts[model] = {
            name: list(value.shape) for name, value in state.items() if not name.endswith("num_batches_tracked")
        }
    return facts


def gradients():
    """Where a ReLU's input is nearly zero, rounding decides whether a gradient passes: PyTorch's single and double
    precision then differ by a hundredth. Of some images, those with the largest distance from that are taken."""
    shape, labels = (2, 3, 33, 40), [3, 1]

    def run(label):
        network = fill(torchvision.models.resnet18(num_classes=10)).double().train()
        margins = []
        for module in network.modules():
            if isinstance(module, torch.nn.ReLU):
                module.inplace = False
                module.register_forward_pre_hook(lambda _, inputs: margins.append(inputs[0].abs().min().item()))
        loss = F.cross_entropy(network(uniform(label, shape, -1, 1).double()), torch.tensor(labels))
        return min(margins), loss, network

    label = max((f"images {index}" for index in range(40)), key=lambda label: run(label)[0])
    margin, loss, network = run(label)
    loss.backward()
    facts = {}
    for name, parameter in network.named_parameters():
        flat = parameter.grad.flatten()
        samples = flat[[len(flat) * i // 7 for i in range(7)]]
        facts[name] = {"norm": rounded([flat.norm()])[0], "samples": rounded(samples)}
    return {
        "images": label, "shape": shape, "labels": labels, "margin": margin, "loss": loss.item(), "gradients": facts
    }


def digits():
    """The training split of --data digits:split=1437, normalised by its own mean and deviation.

    Scaled so, no input of a ReLU of the filled ResNet-20 lies within 4e-6 of zero on the first batch; by the default
    split's mean and deviation some lie within 3e-7, where single and double precision may decide differently.
    """
    images = np.fromfile(DATA / "digits-images.idx3-ubyte", np.uint8)[16:].reshape(-1, 1, 8, 8)
    labels = np.fromfile(DATA / "digits-labels.idx1-ubyte", np.uint8)[8:]
    values = images[:SPLIT] / 16.0
    return torch.from_numpy((values - values.mean()) / values.std()), torch.from_numpy(labels[:SPLIT].astype(np.int64))


def curve(kind=torch.float64, perturbed=None):
    """The losses of 50 steps, the initial weights perhaps perturbed by their rounding, 1e-7."""
    images, labels = digits()
    network = fill(CifarResNet(20, channels=1)).to(kind).train()
    if perturbed is not None:
        torch.manual_seed(perturbed)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter *= 1 + 1e-7 * torch.randn_like(parameter)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
    batches, losses = (len(images) + 31) // 32, []
    for step in range(50):
        first = 32 * (step % batches)
        loss = F.cross_entropy(network(images[first : first + 32].to(kind)), labels[first : first + 32])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def curves():
    losses = curve()
    spread = np.max([np.abs(curve(perturbed=seed) - losses) for seed in range(8)], axis=0)
    return {"losses": rounded(losses), "spread": rounded(spread)}


def write(path, facts):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(facts, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(2)
    write(ROOT / "Tests/NetworksTests/Fixtures/networks.json", {"logits": logits(), "state": states(), "gradients": gradients()})
    write(ROOT / "Tests/LearningTests/Fixtures/curve.json", curves())
