"""How shall one indexing run go?

The defaults are those of the incident: every chunk of a file in one batch, generated files indexed,
the memory arena kept. Each fault has its mend beside it as another value of the same option.
"""

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import TIMEOUT_MAX

from workloads.rag.errors import ConfigError


class Arena(StrEnum):
    """What becomes of the memory that onnxruntime took for one run?"""

    KEPT = "kept"
    SHRUNK = "shrunk"
    OFF = "off"


def usable_cpus() -> int:
    """How many CPUs may this process use?"""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexConfig:
    """What is indexed, and with which bounds?

    Exactly one of `manifest` (a corpus manifest) and `folder` names the files. `batch` is the most chunks
    embedded in one model run; None puts all chunks of a file into one. `file_timeout_s` bounds the
    embedding of one file; None waits for ever. Raises ConfigError where the values contradict each other.
    """

    manifest: Path | None = None
    folder: Path | None = None
    exclude_generated: bool = False
    batch: int | None = None
    arena: Arena = Arena.KEPT
    file_timeout_s: float | None = None
    threads: int = field(default_factory=usable_cpus)
    report: Path | None = None

    def __post_init__(self) -> None:
        if (self.manifest is None) == (self.folder is None):
            raise ConfigError("One corpus is needed.", hint="pass --corpus MANIFEST.json or --folder DIR.")
        if self.batch is not None and self.batch < 1:
            raise ConfigError(
                f"A batch of {self.batch} chunks is not possible.", hint="pass --batch all or 16."
            )
        if self.file_timeout_s is not None and not 0 < self.file_timeout_s <= TIMEOUT_MAX:
            raise ConfigError(
                f"A file timeout of {self.file_timeout_s} s cannot be kept.", hint="pass --file-timeout 30."
            )
        if self.threads < 1:
            raise ConfigError(f"{self.threads} threads cannot embed anything.", hint="pass --threads 2.")
