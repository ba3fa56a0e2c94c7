"""How is MiniLM's forward pass written as an ONNX graph?

BERT's encoder (Devlin et al. 2019) in MiniLM's size, mean-pooled over the tokens that count and normalised to
length 1, as sentence-transformers publishes all-MiniLM-L6-v2. It runs as a program of its own: `onnx` and
three copies of the weights would else count as the indexer's memory.

    python -m workloads.rag.onnx_graph model.safetensors minilm.onnx
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from workloads.rag.models import ATTENTION_MASK, EMBEDDING, INPUT_IDS, WIDTH

LAYERS, HEADS = 6, 12
HEAD_WIDTH = WIDTH // HEADS
EPSILON = 1e-12
OPSET = 20  # the first with Gelu
IR_VERSION = 9  # what opset 20 came with

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(slots=True)
class Builder:
    """Which operations and constants does the graph hold so far? Values are known by their names."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """What is the result of this operation called? Any: each operation types its own attributes."""
        result = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], **attributes))
        return result

    def constant(self, name: str, value: ArrayLike) -> str:
        """What is this value called?"""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def weight(self, name: str) -> str:
        """What is this weight called?"""
        return self.constant(name, self.weights[name])

    def dense(self, x: str, layer: str) -> str:
        """What is x · Wᵀ + b?"""
        transposed = self.constant(f"{layer}.weight.T", self.weights[f"{layer}.weight"].T)
        return self.op("Add", self.op("MatMul", x, transposed), self.weight(f"{layer}.bias"))

    def normalised(self, x: str, layer: str) -> str:
        """What is x with mean 0 and variance 1 at each token, then scaled and shifted as learned?"""
        scale, shift = self.weight(f"{layer}.weight"), self.weight(f"{layer}.bias")
        return self.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)


def build(weights: Weights) -> onnx.ModelProto:
    """Which graph computes MiniLM's sentence embedding from token ids and their mask?"""
    graph = Builder(weights)
    counts = graph.op("Cast", ATTENTION_MASK, to=TensorProto.FLOAT)
    padding = padding_bias(graph, counts)
    x = embedded_tokens(graph)
    for number in range(LAYERS):
        x = encoder_layer(graph, x, padding, f"encoder.layer.{number}")
    tokens = graph.op("Unsqueeze", counts, graph.constant("width_axis", np.array([2])))
    token_axis = graph.constant("token_axis", np.array([1]))
    # The sum serves as the mean: what it is divided by cancels when the length is made 1.
    pooled = graph.op("ReduceSum", graph.op("Mul", x, tokens), token_axis, keepdims=0)
    graph.nodes.append(helper.make_node("LpNormalization", [pooled], [EMBEDDING], axis=1, p=2))
    return model(graph)


def embedded_tokens(graph: Builder) -> str:
    """What does the encoder see of each token: its word, its place, the only segment there is?"""
    words = graph.op("Gather", graph.weight("embeddings.word_embeddings.weight"), INPUT_IDS)
    segment = graph.weights["embeddings.token_type_embeddings.weight"][0]
    places = graph.constant("places", graph.weights["embeddings.position_embeddings.weight"] + segment)
    n_tokens = graph.op("Shape", INPUT_IDS, start=1, end=2)
    used = graph.op("Slice", places, graph.constant("zero", np.array([0])), n_tokens)
    return graph.normalised(graph.op("Add", words, used), "embeddings.LayerNorm")


def padding_bias(graph: Builder, counts: str) -> str:
    """What is added to the attention scores so that padding gets none: 0 for a token, -1e9 for padding?"""
    missing = graph.op("Sub", counts, graph.constant("one", np.float32(1)))
    bias = graph.op("Mul", missing, graph.constant("far_below", np.float32(1e9)))
    return graph.op("Unsqueeze", bias, graph.constant("head_and_query_axes", np.array([1, 2])))


def encoder_layer(graph: Builder, x: str, padding: str, layer: str) -> str:
    """What comes out of one layer: attention, then the feed-forward part, each added to what came in?"""
    attended = attention(graph, x, padding, f"{layer}.attention.self")
    added = graph.op("Add", graph.dense(attended, f"{layer}.attention.output.dense"), x)
    x = graph.normalised(added, f"{layer}.attention.output.LayerNorm")
    wide = graph.op("Gelu", graph.dense(x, f"{layer}.intermediate.dense"))
    added = graph.op("Add", graph.dense(wide, f"{layer}.output.dense"), x)
    return graph.normalised(added, f"{layer}.output.LayerNorm")


def attention(graph: Builder, x: str, padding: str, layer: str) -> str:
    """What does each token take from the others? The scores are heads · tokens² floats a text."""
    by_head = graph.constant("by_head", np.array([0, 0, HEADS, HEAD_WIDTH]))

    def heads(projection: str, order: list[int]) -> str:
        split = graph.op("Reshape", graph.dense(x, f"{layer}.{projection}"), by_head)
        return graph.op("Transpose", split, perm=order)

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    scale = graph.constant("scale", np.float32(HEAD_WIDTH**0.5))
    scores = graph.op("Add", graph.op("Div", graph.op("MatMul", query, key), scale), padding)
    taken = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), value)
    joined = graph.constant("joined", np.array([0, 0, WIDTH]))
    return graph.op("Reshape", graph.op("Transpose", taken, perm=[0, 2, 1, 3]), joined)


def model(graph: Builder) -> onnx.ModelProto:
    """Which model has these operations between the inputs and the output that the indexer names?"""
    describe = helper.make_tensor_value_info
    inputs = [describe(name, TensorProto.INT64, ["texts", "tokens"]) for name in (INPUT_IDS, ATTENTION_MASK)]
    output = describe(EMBEDDING, TensorProto.FLOAT, ["texts", WIDTH])
    proto = helper.make_graph(graph.nodes, "minilm", inputs, [output], list(graph.constants.values()))
    return helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    onnx.save(build(load_file(source)), target)
