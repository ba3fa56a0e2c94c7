"""Who could edit the file of a statement, or of code that uses its names?"""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from pathlib import PurePath

_INSTALLED = {"site-packages", "dist-packages"}
_LIBRARY = re.compile(r"/lib(?:32|64)?/(?:python|pypy)3\.\d+t?/", re.IGNORECASE)
_FROZEN = "<frozen "


class Owner(StrEnum):
    """Whose a file is; ``NOBODY``: code without a file, such as ``<string>``."""

    READER = "yours"
    PACKAGE = "an installed package"
    PYTHON = "part of Python"
    NOBODY = "code without a file"


def owner_of(file: str) -> Owner:
    """Whose is it, as far as its path says?  Modules of the standard library may be frozen: ``<frozen os>``."""
    if file.startswith("<") and file.endswith(">"):
        name = file.removeprefix(_FROZEN).rstrip(">").split(".")[0]
        is_python = file.startswith(_FROZEN) and name in sys.stdlib_module_names
        return Owner.PYTHON if is_python else Owner.NOBODY
    if _INSTALLED & set(PurePath(file).parts):
        return Owner.PACKAGE
    return Owner.PYTHON if _LIBRARY.search(file) else Owner.READER
