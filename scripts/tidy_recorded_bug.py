"""Makes a run with snapshots of objects small, and takes out what tells of the machine it was made on: RUN.

Of several snapshots the first and that at the exit stay.  What they say stays as it was, byte for byte; it is packed
harder.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from tidy_recorded_run import tidy

from diagtools.probes import holders as probe
from diagtools.read.object_graph import graph_files, read_about


def keep_two(folder: Path) -> None:
    """Removes all snapshots but the first and that at the exit."""
    for path in graph_files(folder)[1:]:
        if read_about(path).kind != "exit":
            path.unlink()


def repack(path: Path) -> None:
    """The same snapshot in fewer bytes."""
    *found, _ = pieces(path.read_bytes())
    data = probe.MAGIC + b"".join(_packed(section, piece) for section, piece in found)
    path.write_bytes(data + b"end 8 8\n%08x" % zlib.crc32(data))


def pieces(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each piece of a snapshot: its section and what it holds, unpacked."""
    place = len(probe.MAGIC)
    while place < len(data):
        head, _, _ = data[place : place + 40].partition(b"\n")
        section, n_bytes, n_stored = head.split()
        place += len(head) + 1
        stored = data[place : place + int(n_stored)]
        place += len(stored)
        yield section, stored if n_stored == n_bytes else zlib.decompress(stored)


def _packed(section: bytes, piece: bytes) -> bytes:
    packed = zlib.compress(piece, 9)
    stored = packed if len(packed) < len(piece) else piece
    return b"%b %d %d\n" % (section, len(piece), len(stored)) + stored


def close_anew(folder: Path) -> None:
    """Writes sizes and checksums of what was repacked into ``run.json``."""
    path = folder / "run.json"
    manifest = json.loads(path.read_text(encoding="ascii"))
    for snapshot in graph_files(folder):
        data = snapshot.read_bytes()
        known = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        manifest["artefacts"][snapshot.name] = known
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="ascii")


def main(folder: Path) -> None:
    """All of it."""
    keep_two(folder)
    for slot in folder.glob("markers.*.slot"):  # its content is in the log
        slot.unlink()
    for snapshot in graph_files(folder):
        repack(snapshot)
    close_anew(folder)
    tidy(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
