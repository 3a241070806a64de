#!/usr/bin/env python3
"""Write Tests/NetworksTests/Fixtures/small.onnx: a small network as the onnx package writes it.

    pip install onnx numpy && python experiments/peers/make_onnx_fixture.py

`ONNXTests` makes the same network of the workbench's layers and expects the same bytes.
"""

import pathlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

PATH = pathlib.Path(__file__).resolve().parents[2] / "Tests/NetworksTests/Fixtures/small.onnx"


def constant(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def single(shape, step):
    return (np.arange(np.prod(shape), dtype=np.float32) * np.float32(step) - np.float32(1)).reshape(shape)


def main():
    nodes = [
        helper.make_node(
            "Conv", ["images", "conv.weight", "conv.bias"], ["conv/Conv"], "conv/Conv", kernel_shape=[3, 3],
            strides=[2, 2], pads=[1, 1, 1, 1], dilations=[1, 1], group=1,
        ),
        helper.make_node(
            "BatchNormalization", ["conv/Conv", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"],
            ["bn/BatchNormalization"], "bn/BatchNormalization", epsilon=1e-5,
        ),
        helper.make_node("Relu", ["bn/BatchNormalization"], ["relu/Relu"], "relu/Relu"),
        helper.make_node("Reshape", ["relu/Relu", "flatten.shape"], ["flatten/Reshape"], "flatten/Reshape"),
        helper.make_node(
            "Resize", ["flatten/Reshape", "", "", "resize.sizes"], ["resize/Resize"], "resize/Resize", axes=[2, 3],
            mode="linear", coordinate_transformation_mode="half_pixel",
        ),
        helper.make_node("Flatten", ["resize/Resize"], ["logits"], "logits", axis=1),
    ]
    constants = [
        constant("conv.bias", np.zeros(2, np.float32)),
        constant("conv.weight", single((2, 1, 3, 3), 0.125)),
        constant("bn.weight", single((2,), 0.5)),
        constant("bn.bias", np.zeros(2, np.float32)),
        constant("bn.running_mean", np.zeros(2, np.float32)),
        constant("bn.running_var", np.ones(2, np.float32)),
        constant("flatten.shape", np.array([0, -1, 1, 1], np.int64)),
        constant("resize.sizes", np.array([1, 2], np.int64)),
    ]
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, 5, 7])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 48])],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9, producer_name="convolution-workbench",
        producer_version="0",
    )
    # The default domain is an empty text, which is left out.
    model.opset_import[0].ClearField("domain")
    # The onnx package lists attributes by their names; readers take any order.
    for node in model.graph.node:
        order = ORDER.get(node.op_type)
        if order:
            attributes = {attribute.name: attribute for attribute in node.attribute}
            copies = [type(node.attribute[0]).FromString(attributes[name].SerializeToString()) for name in order]
            del node.attribute[:]
            node.attribute.extend(copies)
    helper.set_model_props(model, {"conv": "standard", "zeta": "ζ"})
    PATH.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{PATH}: {PATH.stat().st_size} bytes")


ORDER = {
    "Conv": ["kernel_shape", "strides", "pads", "dilations", "group"],
    "Resize": ["axes", "mode", "coordinate_transformation_mode"],
}

if __name__ == "__main__":
    main()
