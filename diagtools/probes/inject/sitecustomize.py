"""Which Python processes does a recorded command start?  Every one that imports this file, which `site` does.

The folder of this file stands first on PYTHONPATH (see ``boot.environment``).  It starts the probes, takes its own
folder out of sys.path (children still find it in the environment), and gives way to the sitecustomize that would
have run without it: if there is none, the ImportError is the one that `site` expects.  Any Python may meet this file,
Python 2 too: old ones only pass through.
"""
# Python 2 knows no annotations.
# mypy: ignore-errors

import os
import sys


def _start_probes(path):
    """Run boot.py, compiled once for each version of Python; whatever goes wrong is not the program's concern."""
    if sys.version_info < (3, 9) or not any(os.environ.get(name) for name in _ASKED_BY):
        return
    try:
        names = {"__name__": "diagtools.probes.boot", "__file__": path}
        exec(type(__spec__.loader)(names["__name__"], path).get_code(names["__name__"]), names)
        names["start"]()
    except Exception:  # noqa: BLE001 - boot has already said what it could
        pass


_ASKED_BY = ("DIAGTOOLS_RUN", "DIAGTOOLS_IMPORTS", "DIAGTOOLS_LAZY", "DIAGTOOLS_WITHOUT")
_FOLDER = os.path.dirname(__file__)
sys.path[:] = [entry for entry in sys.path if entry != _FOLDER]
sys.path_importer_cache.pop(_FOLDER, None)
_start_probes(os.path.join(os.path.dirname(_FOLDER), "boot.py"))
_this = sys.modules.pop("sitecustomize", None)  # kept while it runs: Python 2 would empty it
import sitecustomize  # noqa: E402, F401 - the next one on the path, or none
