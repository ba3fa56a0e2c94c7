"""What does `python -m workloads.rag` do? It indexes a corpus, or makes the model ready to."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from workloads.rag.config import Arena, IndexConfig, usable_cpus
from workloads.rag.errors import RagError

WRONG_USE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """How does the run end: 0 done, 1 no file could be indexed, 2 wrong use?"""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        return prepare() if options.command == "prepare" else run(options)
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def run(options: argparse.Namespace) -> int:
    """How does indexing end? A file that failed is in the report; a run in which all failed has failed."""
    config = IndexConfig(
        manifest=options.corpus,
        folder=options.folder,
        exclude_generated=options.exclude_generated,
        batch=options.batch,
        arena=options.arena,
        file_timeout_s=options.file_timeout,
        threads=options.threads,
        report=options.report,
    )
    from workloads.rag.indexer import index
    from workloads.rag.report import clear_report, write_report

    if config.report:
        clear_report(config.report)
    report = index(config)
    logging.getLogger(__name__).info("done in %.1f s", report.duration_s)
    sys.stdout.write(report.as_text())
    if config.report:
        write_report(report, config.report)
    return 0 if report.counts.files_indexed else 1


def prepare() -> int:
    """Is the model ready? Builds its graph ahead of the first run, whose memory it would else stand beside."""
    from workloads.rag.models import find_model

    print(find_model().graph)
    return 0


def parser() -> argparse.ArgumentParser:
    """Which words does the command line know?"""
    top = argparse.ArgumentParser(
        prog="python -m workloads.rag", description="Index source code for search by meaning."
    )
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="check the model and build its graph")
    index = commands.add_parser("index", help="index a corpus")
    source = index.add_mutually_exclusive_group(required=True)
    source.add_argument("--corpus", type=Path, metavar="MANIFEST.json", help="a pinned corpus")
    source.add_argument("--folder", type=Path, metavar="DIR", help="a folder of source files")
    index.add_argument(
        "--exclude-generated",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="leave out generated files: by shape, name and size, and what .gitignore lists",
    )
    index.add_argument(
        "--batch",
        type=batch_size,
        default=None,
        metavar="all|N",
        help="most chunks in one model run (default: all of a file)",
    )
    index.add_argument(
        "--arena",
        type=Arena,
        choices=list(Arena),
        default=Arena.KEPT,
        help="memory the model keeps between runs (default: kept)",
    )
    index.add_argument(
        "--file-timeout",
        type=float,
        default=None,
        metavar="SECONDS",
        help="most time to embed one file (default: none)",
    )
    index.add_argument(
        "--threads",
        type=int,
        default=usable_cpus(),
        metavar="N",
        help="threads of the model (default: all CPUs)",
    )
    index.add_argument("--report", type=Path, metavar="PATH", help="where a JSON summary goes")
    return top


def batch_size(text: str) -> int | None:
    """How many chunks at most does `all` or a number stand for?"""
    return None if text == "all" else int(text)


if __name__ == "__main__":
    sys.exit(main())
