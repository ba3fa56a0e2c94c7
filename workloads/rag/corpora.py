"""Which corpora are pinned, and by which rule is each made again?

python -m workloads.rag.corpora [FOLDER]      writes every manifest into a folder (default: data/corpora)
"""

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workloads.rag.manifest import Entry, Manifest, Package, file_hash, site_packages, write_manifest

FOLDER = Path(__file__).resolve().parents[2] / "data" / "corpora"
LARGEST_BYTES = 1_000_000
MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which files of which packages make up a corpus, and what is it for?"""

    name: str
    text: str
    packages: tuple[str, ...]
    paths: Callable[[], Iterator[str]]
    limit_bytes: int | None = None

    def manifest(self) -> Manifest:
        """Which files does the rule name here and now? Sorted by path."""
        root = site_packages()
        files = tuple(
            Entry(path=path, size_bytes=(root / path).stat().st_size, sha256=file_hash(root / path))
            for path in sorted(self.paths())
        )
        packages = tuple(
            Package(name=name, version=importlib.metadata.version(name)) for name in self.packages
        )
        return Manifest(
            name=self.name,
            rule=self.text,
            root="site-packages",
            packages=packages,
            files=files,
            limit_bytes=self.limit_bytes,
        )


def matching(pattern: str, largest_bytes: int = LARGEST_BYTES) -> list[str]:
    """Which regular files in site-packages match, sorted by path: no caches, no links, nothing empty?"""
    root = site_packages()
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.glob(pattern)
        if "__pycache__" not in path.parts
        and path.is_file()
        and not path.is_symlink()
        and 0 < path.stat().st_size <= largest_bytes
    )


def incident() -> Iterator[str]:
    """Which 262 files stand for the incident's?"""
    yield from matching("jupyterlab/**/*.py")
    yield from matching("jupyterlab/static/*.js", 60_000)[:127]
    yield from matching("jupyterlab_server/**/*.py")
    yield from matching("widgetsnbextension/**/*.py")
    yield from matching("widgetsnbextension/**/*.js")
    yield from matching("zmq/**/*.py")


def small_files() -> Iterator[str]:
    """Which small files, generated and written, stand around a planted killer?"""
    yield from matching("jupyterlab/static/*.js", 8_000)[:8]
    yield from matching("zmq/utils/*.py", 5_000)


def incident_small() -> Iterator[str]:
    """Which of the incident's files are quick to index, and which kills?"""
    yield from matching("jupyterlab/static/*.js", 8_000)[:12]
    yield from matching("jupyterlab_server/*.py", 5_000)
    yield from matching("widgetsnbextension/**/*.py")
    yield "widgetsnbextension/static/extension.js"
    yield from matching("zmq/utils/*.py", 5_000)


def planted_handwritten() -> Iterator[str]:
    """Which file kills that a person wrote?"""
    yield from small_files()
    yield from matching("huggingface_hub/*.py", 8_300)
    yield "huggingface_hub/hf_api.py"


def planted_arena() -> Iterator[str]:
    """Which two files need more memory one after the other, in an arena that is kept, than either alone?"""
    yield from small_files()
    yield "altair/vegalite/v6/api.py"
    yield from matching("polars/series/*.py", 9_800)
    yield "polars/series/series.py"


AMONG_SMALL = (
    " From site-packages, sorted by path, beside small files: the first 8 by path of jupyterlab/static/*.js up to 8,000"
    " bytes; zmq/utils/*.py up to 5,000 bytes."
)

RULES = (
    Rule(
        name="incident",
        text=(
            "From site-packages, without __pycache__, links, empty files and files over 1,000,000 bytes, sorted by"
            " path: jupyterlab/**/*.py; the first 127 by path of jupyterlab/static/*.js up to 60,000 bytes;"
            " jupyterlab_server/**/*.py; widgetsnbextension/**/*.{py,js}; zmq/**/*.py."
        ),
        packages=("jupyterlab", "jupyterlab_server", "pyzmq", "widgetsnbextension"),
        paths=incident,
    ),
    Rule(
        name="incident-small",
        text=(
            "The incident in little: its killer, and small files of the same packages. From site-packages, sorted by"
            " path: the first 12 by path of jupyterlab/static/*.js up to 8,000 bytes; jupyterlab_server/*.py up to"
            " 5,000 bytes; widgetsnbextension/**/*.py; widgetsnbextension/static/extension.js; zmq/utils/*.py up to"
            " 5,000 bytes."
        ),
        packages=("jupyterlab", "jupyterlab_server", "pyzmq", "widgetsnbextension"),
        paths=incident_small,
    ),
    Rule(
        name="planted-handwritten",
        text=(
            "Only the batch is at fault: the killer, huggingface_hub/hf_api.py, was written by people, so leaving"
            " out generated files does not help."
            + AMONG_SMALL
            + " And huggingface_hub/*.py up to 8,300 bytes."
        ),
        packages=("huggingface_hub", "jupyterlab", "pyzmq"),
        paths=planted_handwritten,
    ),
    Rule(
        name="planted-arena",
        text=(
            "The arena that is kept is at fault: polars/series/series.py fits the limit alone and with the arena"
            " shrunk or off, but not beside what the arena kept from altair/vegalite/v6/api.py. Both were written by"
            " people." + AMONG_SMALL + " And polars/series/*.py up to 9,800 bytes."
        ),
        packages=("altair", "jupyterlab", "polars", "pyzmq"),
        paths=planted_arena,
    ),
)


def main(folder: Path = FOLDER) -> None:
    """Where do the manifests go, and what is in each?"""
    folder.mkdir(parents=True, exist_ok=True)
    for rule in RULES:
        manifest = rule.manifest()
        write_manifest(manifest, folder / f"{rule.name}.json")
        print(f"{rule.name}: {len(manifest.files)} files, digest {manifest.digest[:12]}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
