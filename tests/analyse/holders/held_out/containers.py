"""Containers of the standard library, several that hold the same, and memory behind an object."""

from __future__ import annotations

from tests.analyse.holders.held_out.case import Case

CASES = (
    Case(
        name="long_chain",
        right=("HEAD",),
        program="""\
class Link:
    def __init__(self, before):
        self.before = before
        self.block = bytes(200)

HEAD = None
for n in range(20_000):
    HEAD = Link(HEAD)
wait()
""",
    ),
    Case(
        name="two_holders",
        right=("PRIMARY", "MIRROR"),
        program="""\
PRIMARY = {n: bytes(1000) for n in range(6000)}
MIRROR = list(PRIMARY.values())
wait()
""",
    ),
    Case(
        name="three_holders",
        right=("BY_NAME", "BY_AGE", "EVERYONE"),
        program="""\
BY_NAME, BY_AGE, EVERYONE = {}, {}, []

def hire():
    for n in range(6000):
        person = {"name": str(n), "notes": "x" * (1000 + n % 3)}
        BY_NAME[str(n)] = person
        BY_AGE[n] = person
        EVERYONE.append(person)

hire()
wait()
""",
    ),
    Case(
        name="deque_with_maxlen",
        right=("RECENT",),
        program="""\
from collections import deque
RECENT = deque(maxlen=5000)
for n in range(9000):
    RECENT.append({"n": n, "text": str(n) * 200})
wait()
""",
    ),
    Case(
        name="ordered_dict",
        right=("LRU",),
        program="""\
from collections import OrderedDict

class Lru:
    def __init__(self):
        self.data = OrderedDict()

LRU = Lru()
for n in range(6000):
    LRU.data[n] = bytes(1000)
wait()
""",
    ),
    Case(
        name="defaultdict",
        right=("BY_USER",),
        program="""\
from collections import defaultdict
BY_USER = defaultdict(list)
for n in range(12000):
    BY_USER[n % 700].append(str(n) * 100)
wait()
""",
    ),
    Case(
        name="chain_map",
        right=("CONF",),
        program="""\
from collections import ChainMap
CONF = ChainMap({}, {n: bytes(1000) for n in range(6000)})
wait()
""",
    ),
    Case(
        name="weak_value_dictionary",
        right=("ALIVE",),
        wrong=("WEAK",),
        program="""\
import weakref

class Row:
    def __init__(self, n):
        self.text = str(n) * 200

WEAK = weakref.WeakValueDictionary()
ALIVE = []
for n in range(6000):
    row = Row(n)
    WEAK[n] = row
    ALIVE.append(row)
wait()
""",
    ),
    Case(
        name="queue",
        right=("INBOX",),
        program="""\
import queue
INBOX = queue.Queue()
for n in range(6000):
    INBOX.put({"n": n, "body": "x" * (1000 + n % 5)})
wait()
""",
    ),
    Case(
        name="iterator",
        right=("SOURCE",),
        program="""\
import itertools
SOURCE = itertools.chain(iter([bytes(1000) for _ in range(6000)]), ())
next(SOURCE)
wait()
""",
    ),
    Case(
        name="lazy_map",
        right=("LAZY",),
        program="""\
LAZY = map(len, {n: bytes(1000) for n in range(6000)}.values())
wait()
""",
    ),
    Case(
        name="partial",
        right=("HOOKS",),
        program="""\
import functools

def send(rows, to):
    return len(rows)

HOOKS = {"mail": functools.partial(send, [bytes(1000) for _ in range(6000)])}
wait()
""",
    ),
    Case(
        name="bytes_io",
        right=("OUT",),
        program="""\
import io

class Writer:
    def __init__(self):
        self.out = io.BytesIO()

OUT = Writer()
for n in range(6000):
    OUT.out.write(bytes(1000))
wait()
""",
    ),
    Case(
        name="numpy_view",
        right=("HEADS",),
        program="""\
import numpy
HEADS = [numpy.ones(200_000)[:4] for _ in range(6)]
wait()
""",
    ),
    Case(
        name="memoryview",
        right=("WINDOW",),
        program="""\
WINDOW = memoryview(bytearray(8_000_000))[:10]
wait()
""",
    ),
    Case(
        name="mmap",
        right=("MAPPED",),
        gap="pages that are mapped are no object: the ledger has them",
        program="""\
import mmap
MAPPED = mmap.mmap(-1, 8_000_000)
MAPPED.write(b"x" * 8_000_000)
wait()
""",
    ),
    Case(
        name="ctypes_buffer",
        right=("BUFFER",),
        program="""\
import ctypes
BUFFER = ctypes.create_string_buffer(8_000_000)
wait()
""",
    ),
)
