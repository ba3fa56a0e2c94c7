"""What does a small code-search service do at night? It indexes: walk, filter, chunk, embed, keep, relate."""

import os

# onnxruntime keeps a device id in the home folder and reports its use, unless it is told not to before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
