"""Holds many objects of one shape, then looks at them: ``hold_objects.py SHAPE N WAY REPORT MOST_S MOST_BYTES``.

WAY is ``snapshot`` (to be run under ``diagtools record --holders``: it sends itself the signal that ``probes.moments``
answers) or one of the peers, which the kernel ends after MOST_S and gives an address space of MOST_BYTES.  REPORT gets
a line of JSON a step: its wall and CPU time, the RSS before it, and by how much the kernel's high-water mark rose above
that meanwhile; a line is there once its step is done.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SIGNAL = signal.SIGRTMIN + 9
_LINKS, _CHILDREN = 2, 7
_STEPS = 6
_DOCUMENT = (
    '{"id": %d, "user": {"name": "user %d", "score": %d.5}, "tags": ["a%d", "b%d"], '
    '"lines": [%d, {"q": %d.25}]}'
)

held: list[object] = []


class Request:
    """A record as a program of one's own has it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.path = f"/items/{number}"
        self.times = [number * 0.5]


class Node:
    """One of many that refer to each other in circles."""

    __slots__ = ("links", "name", "parent")

    def __init__(self, number: int) -> None:
        self.name = f"node {number}"
        self.links: list[Node] = []
        self.parent: Node | None = None


def instances(n_objects: int) -> None:
    """Instances with a number, a text and a list of one number: five objects each."""
    held.append({number: Request(number) for number in range(n_objects // 5)})


def documents(n_objects: int) -> None:
    """What `json.loads` gives: dicts, lists, texts, numbers; twelve objects a document."""
    n_left = n_objects // 12
    while n_left > 0:
        n, n_left = min(n_left, 1_000), n_left - 1_000
        page = ",".join([_DOCUMENT % ((1_000_000 + n_left + each,) * 7) for each in range(n)])
        held.append(json.loads(f"[{page}]"))


def entangled(n_objects: int) -> None:
    """Nodes with a name and a list: of others drawn at random, then their children; and each knows its parent."""
    draw = random.Random(1)
    nodes = [Node(number) for number in range(n_objects // 3)]
    for number, node in enumerate(nodes):
        node.links.extend(draw.choices(nodes, k=_LINKS))
        if number:
            node.parent = nodes[number // _CHILDREN]
            node.parent.links.append(node)
    held.append(nodes[0])


SHAPES: dict[str, Callable[[int], None]] = {
    "instances": instances,
    "documents": documents,
    "entangled": entangled,
}


def snapshot() -> Iterator[str]:
    """Our snapshot, which is there when this is done."""
    os.kill(os.getpid(), SIGNAL)
    yield "snapshot"


def objgraph() -> Iterator[str]:
    """Its counts by type, then who refers to one object in the middle, up to a module."""
    import objgraph

    objgraph.most_common_types(limit=20)
    yield "types"
    objgraph.find_backref_chain(_in_the_middle(), objgraph.is_proper_module)
    yield "chain"


def guppy() -> Iterator[str]:
    """Its heap by type, then what would be freed with all objects of the type that takes most."""
    import guppy as peer

    heap = peer.hpy().heap()
    str(heap)
    yield "types"
    str(heap[0].domisize)
    yield "retained"


def pympler() -> Iterator[str]:
    """All objects, summed up by type."""
    from pympler import muppy, summary

    found = muppy.get_objects()
    yield "objects"
    list(summary.format_(summary.summarize(found)))
    yield "types"


WAYS: dict[str, Callable[[], Iterator[str]]] = {
    "snapshot": snapshot,
    "objgraph": objgraph,
    "guppy": guppy,
    "pympler": pympler,
}


def _in_the_middle() -> object:
    """One of the objects, some steps away from the list of all."""
    one: object = held[len(held) // 2]
    for _ in range(_STEPS):
        if isinstance(one, dict):
            one = list(one.values())[len(one) // 2]
        elif isinstance(one, list):
            one = one[len(one) // 2]
        elif isinstance(one, Node):
            one = one.links[0]
    return one


def memory_bytes(name: str) -> int:
    """VmHWM or VmRSS of this process."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(text.partition(f"{name}:")[2].split(None, 1)[0]) * 1024


def main() -> None:
    """Makes the objects, then looks at them."""
    shape, way, report = sys.argv[1], sys.argv[3], Path(sys.argv[4])
    n_objects, most_s, most_bytes = int(sys.argv[2]), int(sys.argv[5]), int(sys.argv[6])
    SHAPES[shape](n_objects)
    if way != "snapshot":
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(most_s)
    steps = WAYS[way]()
    with report.open("w", encoding="utf-8") as file:
        while True:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM begins anew
            before, began, used = memory_bytes("VmRSS"), time.perf_counter(), time.process_time()
            step = next(steps, None)
            if step is None:
                break
            found = {
                "name": step,
                "wall_s": time.perf_counter() - began,
                "cpu_s": time.process_time() - used,
                "rss_bytes": before,
                "on_top_bytes": memory_bytes("VmHWM") - before,
            }
            file.write(json.dumps(found) + "\n")
            file.flush()
    os._exit(0)  # taking it all apart is nobody's question


main()
