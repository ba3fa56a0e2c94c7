"""What does a small knowledge base cost those who only want its settings? One package, twice.

Both twins split documents into chunks, find entities, links and figures, keep them in SQLite, relate them,
retrieve by words and by vectors, and chart what is mentioned. They have the same public names and give the same
answers; they differ in when they import.

- `eager`: its `__init__` imports every submodule, and each submodule its library at the top. Whoever asks for
  `eager.config` gets the whole package, since Python runs a package before its submodules.
- `lazy`: its `__init__` imports a submodule when a name of it is first asked for, and a library is imported by
  the function that needs it.
- `plain`: what needs the standard library alone, written once. The modules of that name in the twins pass it on.
- `tests`: a test suite that needs the settings only, and pays for what its twin imports.

The place of an import is the difference that is studied, so the six modules that have libraries to import are
written twice. They are thin, and a test holds them together: less their imports, their code is the same.
"""

import os

# onnxruntime keeps a device id in the home folder and reports its use, unless it is told not to before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
