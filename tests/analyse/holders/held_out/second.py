"""The second set: written with the first, and never mended against."""

from __future__ import annotations

from tests.analyse.holders.held_out.case import Case

CASES = (
    Case(
        name="memo_decorator",
        right=("slow|remembering", "seen"),
        program="""\
import functools

def remember(function):
    seen = {}

    @functools.wraps(function)
    def remembering(n):
        if n not in seen:
            seen[n] = function(n)
        return seen[n]

    return remembering

@remember
def slow(n):
    return bytes(1000)

for n in range(6000):
    slow(n)
wait()
""",
    ),
    Case(
        name="static_method_cache",
        right=("Prices", "of"),
        program="""\
import functools

class Prices:
    @staticmethod
    @functools.lru_cache(maxsize=100_000)
    def of(n):
        return str(n) * 200

for n in range(6000):
    Prices.of(n)
wait()
""",
    ),
    Case(
        name="scheduler",
        right=("AGENDA",),
        program="""\
import sched
AGENDA = sched.scheduler()

def remind(block):
    pass

for n in range(3000):
    AGENDA.enter(3600 + n, 1, remind, (bytes(2000),))
wait()
""",
    ),
    Case(
        name="weak_key_whose_value_holds_it",
        right=("NOTES",),
        program="""\
import weakref

class Document:
    def __init__(self, n):
        self.text = str(n) * 200

NOTES = weakref.WeakKeyDictionary()

def annotate():
    for n in range(6000):
        document = Document(n)
        NOTES[document] = {"about": document}

annotate()
wait()
""",
    ),
    Case(
        name="tee",
        right=("first|second",),
        program="""\
import itertools
first, second = itertools.tee(bytes(1000) for _ in range(6000))
for row in first:
    pass
del row
wait()
""",
    ),
    Case(
        name="context_variable_of_a_task",
        right=("trace_rows|worker",),
        program="""\
import asyncio
import contextvars
rows = contextvars.ContextVar("trace_rows")

async def worker():
    rows.set([bytes(1000) for _ in range(6000)])
    await asyncio.sleep(3600)

async def main():
    task = asyncio.create_task(worker())
    await asyncio.sleep(0)
    wait()

asyncio.run(main())
""",
    ),
    Case(
        name="memory_handler",
        right=("MemoryHandler|handlers",),
        program="""\
import logging
import logging.handlers
logger = logging.getLogger("orders")
logger.propagate = False
logger.addHandler(logging.handlers.MemoryHandler(1_000_000, flushLevel=100))
for n in range(3000):
    logger.warning("order %s", "x" * (2000 + n % 7))
wait()
""",
    ),
    Case(
        name="observer_lists",
        right=("BUS",),
        program="""\
class Bus:
    def __init__(self):
        self.observers = {}

    def on(self, event, call):
        self.observers.setdefault(event, []).append(call)

class View:
    def __init__(self, n):
        self.pixels = bytearray(20_000)

    def draw(self):
        return len(self.pixels)

BUS = Bus()
for n in range(300):
    BUS.on("resize%d" % (n % 3), View(n).draw)
wait()
""",
    ),
    Case(
        name="global_and_class_attribute",
        right=("CATALOGUE", "Store"),
        program="""\
class Store:
    items = []

CATALOGUE = {}

def fill():
    for n in range(6000):
        item = {"n": n, "text": str(n) * 200}
        Store.items.append(item)
        CATALOGUE[n] = item

fill()
wait()
""",
    ),
    Case(
        name="generator_delegating",
        right=("rows", "chunk"),
        program="""\
def rows():
    chunk = [bytes(1000) for _ in range(6000)]
    yield from chunk

def report():
    yield "head"
    yield from rows()

output = report()
next(output)
next(output)
wait()
""",
    ),
    Case(
        name="frame_of_a_worker_thread",
        right=("collect", "samples"),
        program="""\
import threading
ready = threading.Event()

def collect():
    samples = {n: bytes(1000) for n in range(6000)}
    ready.set()
    threading.Event().wait()
    return samples

threading.Thread(target=collect, daemon=True).start()
ready.wait()
wait()
""",
    ),
    Case(
        name="json_document",
        right=("DOCUMENT",),
        program="""\
import json
DOCUMENT = json.loads("[" + ",".join('{"id": %d, "tags": ["a%d", "b%d"], "at": {"x": %d.5}}' % (n, n, n, n)
                                       for n in range(10_000)) + "]")
wait()
""",
    ),
    Case(
        name="inherited_slots",
        right=("CURRENT", "pixels"),
        program="""\
class Shape:
    __slots__ = ("name",)

class Bitmap(Shape):
    __slots__ = ("pixels", "size")

CURRENT = Bitmap()
CURRENT.name = "logo"
CURRENT.pixels = [bytes(1000) for _ in range(6000)]
wait()
""",
    ),
    Case(
        name="future_with_an_error",
        right=("FAILED",),
        program="""\
from concurrent.futures import ThreadPoolExecutor
FAILED = []

def download(n):
    body = bytearray(100_000)
    raise OSError(n)

with ThreadPoolExecutor(1) as pool:
    for n in range(60):
        FAILED.append(pool.submit(download, n))
del pool
wait()
""",
    ),
    Case(
        name="three_deep_instances",
        right=("APP", "sessions"),
        program="""\
class Sessions:
    def __init__(self):
        self.sessions = {}

class Server:
    def __init__(self):
        self.port = 80
        self.state = Sessions()

class App:
    def __init__(self):
        self.server = Server()

APP = App()
for n in range(6000):
    APP.server.state.sessions[n] = bytes(1000)
wait()
""",
    ),
    Case(
        name="property_setter_on_class",
        right=("Config", "_values"),
        program="""\
class Config:
    _values = {}

    @classmethod
    def put(cls, key, value):
        cls._values[key] = value

class LocalConfig(Config):
    pass

for n in range(6000):
    LocalConfig.put(n, str(n) * 200)
wait()
""",
    ),
)
