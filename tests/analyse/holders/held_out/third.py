"""The third set: written after the first was mended, run once, and never mended against."""

from __future__ import annotations

from tests.analyse.holders.held_out.case import Case

CASES = (
    Case(
        name="open_context_manager",
        right=("transaction", "rows"),
        program="""\
import contextlib

@contextlib.contextmanager
def transaction():
    rows = [bytes(1000) for _ in range(6000)]
    yield len(rows)
    rows.clear()

with transaction():
    wait()
""",
    ),
    Case(
        name="selector_data",
        right=("SELECTOR",),
        program="""\
import selectors
import socket
SELECTOR = selectors.DefaultSelector()
PAIRS = []
for n in range(60):
    PAIRS.append(socket.socketpair())
    SELECTOR.register(PAIRS[-1][0], selectors.EVENT_READ, data=bytearray(100_000))
wait()
""",
    ),
    Case(
        name="simple_namespace",
        right=("OPTIONS", "words"),
        gap="the values of a C type have no names",
        program="""\
import types
OPTIONS = types.SimpleNamespace(name="all", words=[str(n) * 200 for n in range(6000)])
wait()
""",
    ),
    Case(
        name="excepthook",
        right=("excepthook",),
        program="""\
import functools
import sys

def report(rows, kind, error, trace):
    sys.__excepthook__(kind, error, trace)

sys.excepthook = functools.partial(report, [bytes(1000) for _ in range(6000)])
wait()
""",
    ),
    Case(
        name="future_callbacks",
        right=("DONE",),
        program="""\
from concurrent.futures import Future
DONE = Future()

class Listener:
    def __init__(self):
        self.block = bytearray(100_000)

    def on_done(self, future):
        self.block.clear()

for n in range(60):
    DONE.add_done_callback(Listener().on_done)
wait()
""",
    ),
    Case(
        name="enum_member",
        right=("Colour|ATLAS",),
        program="""\
import enum

class Colour(enum.Enum):
    RED = 1
    ATLAS = tuple(str(n) * 200 for n in range(6000))

wait()
""",
    ),
    Case(
        name="heap_of_tuples",
        right=("QUEUE",),
        program="""\
import heapq
QUEUE = []
for n in range(6000):
    heapq.heappush(QUEUE, (-n, str(n) * 200))
wait()
""",
    ),
    Case(
        name="weakref_callback",
        right=("WATCHED|forget",),
        program="""\
import weakref

class Model:
    pass

def watch(model):
    cache = [bytes(1000) for _ in range(6000)]

    def forget(reference):
        cache.clear()

    return weakref.ref(model, forget)

MODEL = Model()
WATCHED = watch(MODEL)
wait()
""",
    ),
    Case(
        name="class_in_a_function",
        right=("Counter", "totals"),
        program="""\
def build():
    class Counter:
        totals = {}

    return Counter

KIND = build()
for n in range(6000):
    KIND.totals[n] = bytes(1000)
wait()
""",
    ),
    Case(
        name="recursion",
        right=("walk",),
        program="""\
def walk(n):
    block = bytes(40_000)
    if n:
        return walk(n - 1)
    wait()

walk(150)
""",
    ),
    Case(
        name="two_threads_of_one_function",
        right=("serve", "session"),
        program="""\
import threading
ready = threading.Barrier(5)

def serve():
    session = [bytes(1000) for _ in range(1500)]
    ready.wait()
    threading.Event().wait()
    return session

for n in range(4):
    threading.Thread(target=serve, daemon=True).start()
ready.wait()
wait()
""",
    ),
    Case(
        name="many_tasks",
        right=("handle", "body"),
        gap="of several coroutines the variable is not said",
        program="""\
import asyncio

async def handle(n):
    body = bytearray(100_000)
    await asyncio.sleep(3600)
    return body

async def main():
    tasks = [asyncio.create_task(handle(n)) for n in range(60)]
    await asyncio.sleep(0)
    wait()
    return tasks

asyncio.run(main())
""",
    ),
    Case(
        name="call_soon",
        right=("flush",),
        gap="what the loop is to call next is said by its class",
        program="""\
import asyncio

def flush(block):
    pass

async def main():
    loop = asyncio.get_running_loop()
    for n in range(3000):
        loop.call_soon(flush, bytes(2000))
    wait()

asyncio.run(main())
""",
    ),
    Case(
        name="interned_texts",
        right=("NAMES",),
        program="""\
import sys
NAMES = []
for n in range(6000):
    NAMES.append(sys.intern("name %d " % n * 100))
wait()
""",
    ),
    Case(
        name="dict_of_instances_of_slots",
        right=("BOARD",),
        program="""\
class Cell:
    __slots__ = ("x", "text")

    def __init__(self, x):
        self.x, self.text = x, str(x) * 100

BOARD = {}
for x in range(12_000):
    BOARD[x, x + 1] = Cell(x)
wait()
""",
    ),
    Case(
        name="property_closure",
        right=("lazy|Page", "kept"),
        program="""\
def lazy(make):
    kept = {}

    def get(self):
        return kept.setdefault(id(self), make(self))

    return property(get)

class Page:
    body = lazy(lambda self: bytes(1000))

PAGES = [Page() for _ in range(6000)]
for page in PAGES:
    page.body
wait()
""",
    ),
)
