"""What came of an indexing run?"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from workloads.rag.config import IndexConfig
from workloads.rag.corpus import Corpus
from workloads.rag.errors import ConfigError
from workloads.rag.filters import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Which file was not indexed, was it for lack of time, and what was the error?"""

    path: str
    status: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much was made of the files?"""

    files_indexed: int
    chunks: int
    graph_nodes: int
    graph_edges: int
    vectors_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What was asked, found, made and missed? Every file found is excluded, failed or indexed."""

    config: IndexConfig
    corpus: Corpus
    selection: Selection
    counts: Counts
    failures: tuple[Failure, ...]
    duration_s: float

    @property
    def excluded_by_reason(self) -> Mapping[str, int]:
        """How many files does each rule leave out?"""
        return dict(sorted(Counter(str(out.reason) for out in self.selection.excluded).items()))

    def as_json(self) -> str:
        """What does the report say to a program?"""
        document = {
            "corpus": {
                "name": self.corpus.name,
                "digest": self.corpus.digest,
                "drift": [str(drift) for drift in self.corpus.drift],
            },
            "options": {
                "exclude_generated": self.config.exclude_generated,
                "batch": self.config.batch or "all",
                "arena": self.config.arena,
                "file_timeout_s": self.config.file_timeout_s,
                "threads": self.config.threads,
            },
            "files_found": len(self.corpus.files),
            "files_selected": len(self.selection.selected),
            "excluded_by_reason": self.excluded_by_reason,
            "excluded": [
                {"path": out.file.relative, "reason": out.reason, "build_folders": out.build_folders}
                for out in self.selection.excluded
            ],
            "files_failed": len(self.failures),
            "failures": [asdict(failure) for failure in self.failures],
            **asdict(self.counts),
            "duration_s": round(self.duration_s, 3),
        }
        return json.dumps(document, indent=2) + "\n"

    def as_text(self) -> str:
        """What does the report say to a person? The same for the same work: no times, no sizes of memory."""
        counts, reasons = self.counts, self.excluded_by_reason.items()
        out = ", ".join(f"{n} {reason}" for reason, n in reasons) or "none"
        return (
            f"corpus {self.corpus.name}: {len(self.corpus.files)} files found, "
            f"{len(self.selection.selected)} selected (left out: {out})\n"
            f"indexed {counts.files_indexed} files, {len(self.failures)} failed, {counts.chunks} chunks\n"
            f"graph {counts.graph_nodes} nodes and {counts.graph_edges} edges, vectors {counts.vectors_bytes} bytes\n"
        )


def clear_report(path: Path) -> None:
    """Can a report be written here? Removes an earlier one: a run that is killed must not leave another's."""
    with _writing(path):
        path.unlink(missing_ok=True)
        path.touch()
        path.unlink()


def write_report(report: IndexReport, path: Path) -> None:
    """Where does the report go? Whole or not at all."""
    with _writing(path):
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(report.as_json(), encoding="utf-8")
        partial.replace(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "pass --report a path in a folder that exists and has room."
        fact = f"No report can be written to {str(path)!r}: {error.strerror}."
        raise ConfigError(fact, hint=hint) from error
