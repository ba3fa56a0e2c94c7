"""One large batch went through a model, and its arena keeps the room for the next that may come."""

import numpy as np
import onnx
import onnxruntime

_WIDTH = 256
_KEPT: list[onnxruntime.InferenceSession] = []


def hold(size: int) -> str:
    """What is held? A session whose arena made room for a batch with intermediate results of about `size` bytes."""
    session = onnxruntime.InferenceSession(_model(), providers=["CPUExecutionProvider"])
    rows = size // (2 * 4 * _WIDTH)
    small = np.ones((1, _WIDTH), dtype=np.float32)
    large = np.ones((rows, _WIDTH), dtype=np.float32)
    answers = [float(session.run(None, {"x": batch})[0]) for batch in (small, large, small)]
    _KEPT.append(session)
    return f"{rows} rows went through, answers {answers}"


def _model() -> bytes:
    """Two layers, and the mean of what comes out: inputs and outputs are small beside what lies between."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(7)
    weights = [rng.standard_normal((_WIDTH, _WIDTH)).astype(np.float32) / _WIDTH for _ in range(2)]
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["a"]),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w1"], ["c"]),
        helper.make_node("ReduceMean", ["c"], ["y"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "two layers",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", _WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(values, f"w{number}") for number, values in enumerate(weights)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
