#!/usr/bin/env python3
"""One peer in a process of its own, for `compare_speed.py`.

Reads a JSON object on each line of standard input and answers with one: `{"work": [...], "threads": 1}` makes ready what
`{"seconds": 0.3}` then times; the answer to that is the milliseconds of the fastest run. An error is answered as
`{"error": "..."}`, and the row has no number of this peer.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from bottleneck_network import Adder, Deformable, Shift, bottleneck20
from networks import CifarResNet
from timing import fastest


def sizes(problem):
    """The numbers of a problem as benchdnn writes it."""
    found = dict(re.findall(r"(mb|g|ic|ih|oc|oh|kh|sh|ph)(\d+)", problem.split('n"')[0]))
    return {"g": 1, "sh": 1, "ph": 0, **{key: int(value) for key, value in found.items()}}


# Layers as modules. Each takes one tensor, so that every peer can run it.


def convolution(problem):
    s = sizes(problem)
    layer = nn.Conv2d(s["ic"], s["oc"], s["kh"], s["sh"], s["ph"], groups=s["g"], bias=False)
    return layer, torch.randn(s["mb"], s["ic"], s["ih"], s["ih"])


class Masked(nn.Module):
    """DCNv2: one convolution predicts the offsets and the masks."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.offset = nn.Conv2d(inputs, 27, 3, 1, 1)
        self.convolution = torchvision.ops.DeformConv2d(inputs, outputs, 3, 1, 1, bias=False)

    def forward(self, x):
        offset, mask = self.offset(x).split((18, 9), 1)
        return self.convolution(x, offset, mask.sigmoid())


def operator(name, problem):
    s = sizes(problem)
    layer = {
        "deformable": lambda: Deformable(s["ic"], s["oc"], 1), "deformable-v2": lambda: Masked(s["ic"], s["oc"]),
        "adder": lambda: Adder(s["ic"], s["oc"], 1),
        "shift:pointwise=always": lambda: nn.Sequential(
            Shift(s["ic"], s["ic"], 1), nn.Conv2d(s["ic"], s["oc"], 1, bias=False)),
    }[name]()
    if hasattr(layer, "offset"):
        # Samples between pixels, as after training.
        nn.init.uniform_(layer.offset.weight, -0.01, 0.01)
        nn.init.uniform_(layer.offset.bias, 0.3, 0.7)
    return layer, torch.randn(1, s["ic"], s["ih"], s["ih"])


def inference(name, *arguments):
    if name == "convolution":
        layer, x = convolution(*arguments)
    elif name == "model":
        model, batch = arguments
        layer, x = getattr(torchvision.models, model)(), torch.randn(batch, 3, 224, 224)
    else:
        layer, x = operator(name, *arguments)
    return layer.eval().requires_grad_(False), x


# Peers


def eager(layout):
    def make(module, x, threads):
        m, a = module.to(memory_format=layout), x.to(memory_format=layout)

        def work():
            with torch.inference_mode():
                return m(a)

        return work

    return make


def compiler(module, x, threads):
    import torch._inductor.config

    torch._inductor.config.freezing = True
    compiled = torch.compile(module)

    def work():
        with torch.no_grad():
            return compiled(x)

    return work


class DeformConv(torch.autograd.Function):
    """Writes ONNX's own operator where torchvision has a function that the exporter does not know."""

    @staticmethod
    def forward(ctx, x, weight, offset, mask):
        return torchvision.ops.deform_conv2d(x, offset, weight, padding=1, mask=mask)

    @staticmethod
    def symbolic(g, x, weight, offset, mask):
        inputs = (x, weight, offset)
        if mask is not None:
            inputs += (g.op("Constant", value_t=torch.zeros(weight.type().sizes()[0])), mask)
        y = g.op("DeformConv", *inputs, pads_i=[1, 1, 1, 1], kernel_shape_i=[3, 3])
        return y.setType(x.type())


class Exported(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        made = self.layer.offset(x)
        offset, mask = (made, None) if made.shape[1] == 18 else (made[:, :18], made[:, 18:].sigmoid())
        return DeformConv.apply(x, self.layer.convolution.weight, offset, mask)


def onnx_file(module, x, folder):
    path = str(pathlib.Path(folder) / "model.onnx")
    if isinstance(module, (Deformable, Masked)):
        module = Exported(module)
    torch.onnx.export(module, x, path, dynamo=False, opset_version=19)
    return path


def onnxruntime(module, x, threads):
    import onnxruntime as runtime

    with tempfile.TemporaryDirectory() as folder:
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        session = runtime.InferenceSession(onnx_file(module, x, folder), options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: x.numpy()}
    return lambda: session.run(None, inputs)[0]


def openvino(module, x, threads):
    import openvino as ov

    with tempfile.TemporaryDirectory() as folder:
        core = ov.Core()
        model = core.read_model(onnx_file(module, x, folder))
        compiled = core.compile_model(
            model, "CPU",
            {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(x.numpy(), shared_memory=True))

    def work():
        request.infer()
        return request.get_output_tensor(0).data

    return work


def ncnn(module, x, threads):
    import ncnn as library
    import pnnx

    with tempfile.TemporaryDirectory() as folder:
        torch.jit.trace(module, x).save(f"{folder}/model.pt")
        subprocess.run(
            [pathlib.Path(pnnx.EXEC_PATH), "model.pt", f"inputshape={list(x.shape)}".replace(" ", ""), "fp16=0"],
            cwd=folder, check=True, capture_output=True)
        net = library.Net()
        net.opt.num_threads = threads
        for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "int8_inference"):
            setattr(net.opt, f"use_{option}", False)
        net.load_param(f"{folder}/model.ncnn.param")
        net.load_model(f"{folder}/model.ncnn.bin")
    if x.shape[0] > 1:
        raise ValueError("ncnn runs one image at a time")
    image = library.Mat(x[0].numpy())

    def work():
        extractor = net.create_extractor()
        extractor.input("in0", image)
        return np.array(extractor.extract("out0")[1])

    return work


# Training steps


def step(peer, name, *arguments):
    kernel, batch, channels, size, classes = "standard", 32, 3, 32, 10
    if name == "resnet20-step":
        (batch,) = arguments
        module = CifarResNet(20)
    elif name == "bottleneck20-step":
        (kernel, size), channels = arguments, 1
        module = bottleneck20(kernel)
    else:
        (size,), classes = arguments, 1000
        module = torchvision.models.resnet18()
    layout = torch.channels_last if peer == "channels-last" else torch.contiguous_format
    module = module.to(memory_format=layout).train()
    x = torch.randn(batch, channels, size, size).to(memory_format=layout)
    labels = torch.arange(batch) % classes
    optimizer = torch.optim.SGD(module.parameters(), 1e-4, momentum=0.9, weight_decay=1e-4)
    if peer == "compiler":
        module = torch.compile(module)

    def work():
        optimizer.zero_grad()
        F.cross_entropy(module(x), labels).backward()
        optimizer.step()

    return work


PEERS = {
    "eager": eager(torch.contiguous_format), "channels-last": eager(torch.channels_last), "compiler": compiler,
    "onnxruntime": onnxruntime, "openvino": openvino, "ncnn": ncnn,
}


def make(peer, work, threads):
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    if work[0].endswith("-step"):
        return step(peer, *work)
    module, x = inference(*work)
    work = PEERS[peer](module, x, threads)
    # A peer that computes something else does not count.
    with torch.no_grad():
        expected = module(x).numpy().squeeze()
    error = np.abs(np.asarray(work()).squeeze().reshape(expected.shape) - expected).max() / np.abs(expected).max()
    if not error < 1e-3:
        raise ValueError(f"its result differs from PyTorch's by {error:.1e} of the largest value")
    return work


def main():
    peer, work = sys.argv[1], None
    # What libraries print does not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "work" in request:
                work = None
                if "compiler" == peer:
                    torch._dynamo.reset()
                work = make(peer, request["work"], request["threads"])
                work()
                answer = {}
            else:
                answer = {"ms": fastest(work, request["seconds"])}
        except Exception as error:
            answer = {"error": " ".join(str(error).split())[:200] or repr(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
