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
