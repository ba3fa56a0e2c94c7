"""What is made once of MiniLM's graph: one with weights of 8 bits, or one whose weights lie in a file to be mapped.

python -m workloads.rag.loaders.build int8|shared GRAPH FOLDER
"""

import sys
from pathlib import Path

import onnx

from workloads.rag.loaders.derived import GRAPH, INT8, SHARED, WEIGHTS

_LEAST_BYTES = 1024  # smaller constants stay in the graph: shapes and axes, which are read when it is loaded


def quantise(graph: Path, folder: Path) -> None:
    """Writes the graph with weights of 8 bits; activations are quantised as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(str(graph), str(folder / GRAPH), weight_type=QuantType.QInt8)


def share(graph: Path, folder: Path) -> None:
    """Writes the graph and its weights, each weight at the beginning of a page."""
    onnx.save(
        onnx.load(str(graph)),
        str(folder / GRAPH),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=WEIGHTS,
        size_threshold=_LEAST_BYTES,
    )


if __name__ == "__main__":
    kind, source, target = sys.argv[1:]
    {INT8: quantise, SHARED: share}[kind](Path(source), Path(target))
