"""How is a corpus indexed, file after file?"""

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workloads.rag import markers
from workloads.rag.chunking import chunk
from workloads.rag.config import IndexConfig
from workloads.rag.corpus import Corpus, SourceFile, read_text, walk_folder
from workloads.rag.errors import CorpusError, FileError, ModelError
from workloads.rag.filters import select
from workloads.rag.graph import CodeGraph
from workloads.rag.manifest import open_manifest
from workloads.rag.report import Counts, Failure, IndexReport
from workloads.rag.symbols import outline

if TYPE_CHECKING:
    from workloads.rag.embedding import Embedder
    from workloads.rag.store import VectorStore

DRIFT_NAMED = 3

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Indexer:
    """What has been indexed so far? Holds the model, the vectors, the graph and what failed."""

    config: IndexConfig
    embedder: "Embedder"
    vectors: "VectorStore"
    graph: CodeGraph = field(default_factory=CodeGraph)
    failures: list[Failure] = field(default_factory=list)
    n_chunks: int = 0
    n_files: int = 0

    def add(self, file: SourceFile) -> None:
        """What becomes of this file? One that cannot be indexed is a failure of its own, not of the run."""
        try:
            with markers.item(file.relative, size_bytes=file.size_bytes) as item:
                self._index(file, item)
        except TimeoutError as error:
            self._failed(file, "timeout", str(error))
        except OSError as error:
            self._failed(file, "failed", error.strerror or str(error))
        except FileError as error:
            self._failed(file, "failed", str(error))

    def _index(self, file: SourceFile, item: markers.Span) -> None:
        text = read_text(file)
        found = outline(text, file.relative)
        chunked = chunk(text, found.symbols)
        longest_line = max(map(len, text.split("\n")))
        item.note(chunks=len(chunked.chunks), longest_line=longest_line)
        for oversize in chunked.oversize:
            log.warning("%s", oversize)
        vectors = self.embedder.embed(
            chunked.chunks, batch=self.config.batch, timeout_s=self.config.file_timeout_s
        )
        self.vectors.add(file.relative, vectors)
        self.graph.add(file.relative, found)
        self.n_chunks += len(chunked.chunks)
        self.n_files += 1

    def _failed(self, file: SourceFile, status: str, error: str) -> None:
        log.error("%s not indexed: %s", file.label, error)
        self.failures.append(Failure(path=file.relative, status=status, error=error))

    def counts(self) -> Counts:
        """How much has been made of the files?"""
        return Counts(
            files_indexed=self.n_files,
            chunks=self.n_chunks,
            graph_nodes=self.graph.n_nodes,
            graph_edges=self.graph.n_edges,
            vectors_bytes=self.vectors.n_bytes,
        )


def index(config: IndexConfig) -> IndexReport:
    """What comes of indexing this corpus?

    Raises CorpusError where there is nothing to index, ModelError where there is nothing to index it with.
    """
    began_s = time.monotonic()
    corpus = open_corpus(config)
    selection = select(corpus.files, corpus.root, exclude_generated=config.exclude_generated)
    if not selection.selected:
        fact = f"No files to index in {corpus.name!r}: {len(corpus.files)} found, every one left out."
        raise CorpusError(fact, hint="pass a folder or manifest with source files.")
    markers.event("selected", files=len(selection.selected), found=len(corpus.files))
    with markers.phase("load model"):
        indexer = load_indexer(config)
    with markers.phase("index"):
        for number, file in enumerate(selection.selected, start=1):
            log.info("indexing %d/%d %s", number, len(selection.selected), file.label)
            indexer.add(file)
    counts = indexer.counts()
    markers.event("indexed", files=counts.files_indexed, chunks=counts.chunks, graph_nodes=counts.graph_nodes)
    return IndexReport(
        config=config,
        corpus=corpus,
        selection=selection,
        counts=counts,
        failures=tuple(indexer.failures),
        duration_s=time.monotonic() - began_s,
    )


def open_corpus(config: IndexConfig) -> Corpus:
    """Which files does the configuration name? What has drifted since a manifest was made is said once."""
    if config.folder is not None:
        return walk_folder(config.folder)
    assert config.manifest is not None  # IndexConfig has seen to it
    corpus = open_manifest(config.manifest)
    if corpus.drift:
        named = "; ".join(map(str, corpus.drift[:DRIFT_NAMED]))
        log.warning("corpus %s has drifted in %d places: %s", corpus.name, len(corpus.drift), named)
    return corpus


def load_indexer(config: IndexConfig) -> Indexer:
    """Which indexer works as configured? The heavy libraries are loaded here and not before."""
    try:
        from workloads.rag.embedding import Embedder
        from workloads.rag.store import VectorStore
    except ImportError as error:
        raise ModelError(f"The package {error.name} is not installed.", hint="make setup.") from error
    from workloads.rag.models import find_model

    embedder = Embedder(find_model(), arena=config.arena, threads=config.threads)
    return Indexer(config=config, embedder=embedder, vectors=VectorStore())
