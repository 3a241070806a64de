"""Loads a network that `experiment export` has written as ONNX into PyTorch.

    from onnx_network import Network
    network = Network("net.onnx")
    logits = network(torch.randn(8, 1, 8, 8))

The parameters have their names in the safetensors files, with the dots as they are: `dict(network.tensors)`. It knows
the operators that the workbench writes, no others.
"""

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torchvision.ops import deform_conv2d


def padded(x, pads, value=0.0):
    """x with (top, left, bottom, right) more pixels."""
    top, left, bottom, right = pads
    return F.pad(x, (left, right, top, bottom), value=value)


def conv(x, w, b=None, *, strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1), group=1, kernel_shape=None):
    return F.conv2d(padded(x, pads), w, b, stride=strides, dilation=dilations, groups=group)


def deform_conv(x, w, offset, b=None, mask=None, *, strides, pads, dilations, group, offset_group, kernel_shape):
    # torchvision pads both sides alike; a border of zeros is the same as no image to both.
    return deform_conv2d(padded(x, pads), offset, w, b, stride=strides, dilation=dilations, mask=mask)


def pool(x, function, pads, value, kernel_shape, strides):
    return function(padded(x, pads, value), kernel_shape, strides)


def average_pool(x, *, kernel_shape, strides, pads, count_include_pad, ceil_mode=0):
    # Padding counts; what lies beyond it, where sizes are rounded up, does not.
    return F.avg_pool2d(padded(x, pads), kernel_shape, strides, ceil_mode=bool(ceil_mode))


def slices(x, starts, ends, axes, steps):
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes.tolist(), steps.tolist()):
        x = x.narrow(axis, start, end - start)[(slice(None),) * axis + (slice(None, None, step),)]
    return x


def pad(x, pads):
    half = len(pads) // 2
    return F.pad(x, [int(n) for axis in reversed(range(half)) for n in (pads[axis], pads[axis + half])])


def reshape(x, shape):
    return x.reshape([x.shape[axis] if extent == 0 else extent for axis, extent in enumerate(shape.tolist())])


def resize(x, _, __, sizes, *, axes, mode, coordinate_transformation_mode, nearest_mode=None):
    if (mode, coordinate_transformation_mode, nearest_mode) == (b"nearest", b"asymmetric", b"floor"):
        return F.interpolate(x, sizes.tolist(), mode="nearest")
    assert (mode, coordinate_transformation_mode, list(axes)) == (b"linear", b"half_pixel", [2, 3])
    return F.interpolate(x, sizes.tolist(), mode="bilinear", align_corners=False)


OPERATORS = {
    "Abs": torch.abs,
    "Add": torch.add,
    "AveragePool": average_pool,
    "Clip": torch.clamp,
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Conv": conv,
    "DeformConv": deform_conv,
    "Erf": torch.erf,
    "Expand": lambda x, shape: x.expand(shape.tolist()),
    "Flatten": lambda x, *, axis: x.flatten(axis),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda x: x.amax((2, 3), keepdim=True),
    "HardSwish": F.hardswish,
    "Identity": lambda x: x,
    "LayerNormalization": lambda x, w, b=None, *, axis=-1, epsilon=1e-5: F.layer_norm(
        x, x.shape[axis:], w, b, epsilon
    ),
    "MatMul": torch.matmul,
    "MaxPool": lambda x, *, kernel_shape, strides, pads: pool(
        x, F.max_pool2d, pads, -torch.inf, kernel_shape, strides
    ),
    "Mul": torch.mul,
    "Neg": torch.neg, "Sign": torch.sign,
    "Pad": pad,
    "ReduceMax": lambda x, axes, *, keepdims: x.amax(axes.tolist(), keepdim=bool(keepdims)),
    "ReduceMean": lambda x, axes, *, keepdims: x.mean(axes.tolist(), keepdim=bool(keepdims)),
    "ReduceSum": lambda x, axes, *, keepdims: x.sum(axes.tolist(), keepdim=bool(keepdims)),
    "Relu": torch.relu,
    "Reshape": reshape,
    "Resize": resize,
    "Shape": lambda x, *, start, end: torch.tensor(x.shape[start:end]),
    "Sigmoid": torch.sigmoid,
    "Slice": slices,
    "Softmax": lambda x, *, axis: torch.softmax(x, axis),
    "Sub": torch.sub,
    "Tanh": torch.tanh,
    "Transpose": lambda x, *, perm: x.permute(perm),
}


class Network(torch.nn.Module):
    """An exported network; batch normalisation is as in inference unless `train()` says otherwise."""

    def __init__(self, path):
        super().__init__()
        model = onnx.load(path)
        self.metadata = {entry.key: entry.value for entry in model.metadata_props}
        self.nodes = [
            (
                node.op_type, list(node.input), node.output[0],
                {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
            )
            for node in model.graph.node
        ]
        # A value is let go after the last node that reads it.
        self.last = {name: index for index, node in enumerate(self.nodes) for name in node[1]}
        self.tensors = {}
        statistics = {name for kind, inputs, *_ in self.nodes if kind == "BatchNormalization" for name in inputs[3:]}
        for array in model.graph.initializer:
            tensor = torch.from_numpy(numpy_helper.to_array(array).copy())
            if tensor.is_floating_point() and array.name not in statistics:
                tensor = torch.nn.Parameter(tensor)
                self.register_parameter(array.name.replace(".", "/"), tensor)
            self.tensors[array.name] = tensor
        self.input, self.output = model.graph.input[0].name, model.graph.output[0].name
        self.eval()

    def forward(self, images):
        values = {**self.tensors, self.input: images, "": None}
        for index, (kind, inputs, output, attributes) in enumerate(self.nodes):
            arguments = [values[name] for name in inputs]
            if kind == "BatchNormalization":
                x, weight, bias, mean, variance = arguments
                values[output] = F.batch_norm(
                    x, mean, variance, weight, bias, self.training, momentum=1.0, eps=attributes["epsilon"]
                )
            else:
                values[output] = OPERATORS[kind](*arguments, **attributes)
            del arguments
            for name in inputs:
                if name and self.last[name] == index:
                    values.pop(name, None)
        return values[self.output]
