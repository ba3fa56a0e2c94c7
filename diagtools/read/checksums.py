"""Are the artefacts of a run what they were when it was closed?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from diagtools.errors import DiagtoolsError
from diagtools.read.artefact import open_artefact
from diagtools.values import Artefact


def changed(folder: Path, name: str, known: Artefact) -> str:
    """In what is this artefact not what it was?  Empty where it is the same."""
    try:
        file = open_artefact(folder, name)
        if file is None:
            return "it is gone"
        with file:
            size = os.fstat(file.fileno()).st_size
            if size != known.size_bytes:  # nothing is read: it may be a huge file with nothing in it
                return f"{size:,} bytes where {known.size_bytes:,} were closed"
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except DiagtoolsError as error:
        return error.message
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return "" if digest == known.sha256.lower() else "its bytes are not those that were closed"
