"""Functions that come to an end with what they keep, or keep nothing."""

import array
import bisect
import collections
import concurrent.futures
import contextvars
import copy
import csv
import ctypes
import datetime
import decimal
import functools
import gc
import hashlib
import heapq
import io
import itertools
import json
import logging
import logging.handlers
import mmap
import pickle
import queue
import random
import re
import sqlite3
import string
import struct
import sys
import tempfile
import threading
import types
import uuid
import weakref
import xml.etree.ElementTree
import zlib

counter = itertools.count()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
state: dict = {}
rows: list = []
recent: collections.deque = collections.deque(maxlen=500)
long_recent: collections.deque = collections.deque(maxlen=3000)
values: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
keys: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
context: contextvars.ContextVar = contextvars.ContextVar("context", default=())
log = logging.getLogger("bounded")
log.addHandler(logging.handlers.MemoryHandler(100, target=logging.NullHandler()))
log.propagate = False


class Plain:
    def __init__(self, payload=None):
        self.payload, self.other = payload, None


def nothing():
    pass


def arithmetic():
    return sum(i * i for i in range(50))


def temporary_list():
    return [str(i) for i in range(100)]


def temporary_large():
    return bytes(1_000_000)


def temporary_cycle():
    first, second = Plain(), Plain()
    first.other, second.other = second, first


def temporary_cycle_with_del():
    class Dying(Plain):
        def __del__(self):
            pass

    first = Dying(bytes(300))
    first.other = first


def random_temporaries():
    return [bytes(random.randrange(4000)) for _ in range(20)]


def random_replaced():
    state["replaced"] = bytes(random.randrange(1_000_000))


def random_small_replaced():
    state[random.randrange(50)] = bytes(random.randrange(2000))


def _cached(size):
    @functools.lru_cache(maxsize=size)
    def value(key):
        return (f"value {key}") * 5

    return value


cache_of_100, cache_of_1000, cache_of_5000 = _cached(100), _cached(1000), _cached(5000)
cache_of_100k, cache_of_128 = _cached(100_000), functools.lru_cache(lambda key: [key])


def lru_100():
    cache_of_100(next(counter))


def lru_1000():
    cache_of_1000(next(counter))


def lru_5000():
    cache_of_5000(next(counter))


def lru_100k():
    cache_of_100k(next(counter))


def lru_default():
    cache_of_128(next(counter))


def lru_few_keys():
    cache_of_100k(next(counter) % 70)


@functools.cache
def _unlimited(key):
    return str(key) * 10


def unlimited_cache_of_few_keys():
    _unlimited(next(counter) % 300)


def pattern_cache():
    re.compile(f"a{next(counter)}+")


def ordered_lru():
    made = state.setdefault("lru", collections.OrderedDict())
    made[next(counter)] = bytes(60)
    if len(made) > 1500:
        made.popitem(last=False)


def ordered_lru_4000():
    made = state.setdefault("lru", collections.OrderedDict())
    made[next(counter)] = bytes(60)
    if len(made) > 4000:
        made.popitem(last=False)


def ring_of_objects():
    ring = state.setdefault("ring", [None] * 256)
    ring[next(counter) % 256] = Plain(bytes(100))


def ring_of_1000():
    ring = state.setdefault("ring", [None] * 1000)
    ring[next(counter) % 1000] = {"a": bytes(100)}


def deque_of_500():
    recent.append(bytes(200))


def deque_of_3000():
    long_recent.append([1, 2, 3])


def interned():
    sys.intern(f"word {next(counter) % 200}")


def plateau_after_500():
    if len(rows) < 500:
        rows.append(bytes(300))


def plateau_after_2000():
    if len(rows) < 2000:
        rows.append(bytes(300))


def plateau_after_4000():
    if len(rows) < 4000:
        rows.append(bytes(300))


def dict_up_and_down():
    made = state.setdefault("made", {})
    n = next(counter)
    if n % 200 < 100:
        made[n % 100] = bytes(50)
    else:
        made.pop(n % 100, None)


def cleared_every_100():
    rows.append(bytes(100))
    if len(rows) >= 100:
        rows.clear()


def cleared_every_1000():
    made = state.setdefault("made", {})
    made[next(counter)] = bytes(100)
    if len(made) >= 1000:
        made.clear()


def cleared_every_1700():
    rows.append([next(counter)])
    if len(rows) >= 1700:
        del rows[:]


def cleared_every_2500():
    rows.append(bytes(100))
    if len(rows) >= 2500:
        rows.clear()


def flushed_file():
    made = state.setdefault("file", io.BytesIO())
    made.write(b"x" * 100)
    if made.tell() > 64_000:
        made.seek(0)
        made.truncate()


def weak_values():
    values[next(counter)] = Plain()


def weak_keys():
    keys[Plain()] = bytes(100)


def some_of_many_keys():
    state[random.randrange(400)] = str(random.random())


def memo_of_random_keys():
    state.setdefault(random.randrange(1000), bytes(80))


def logged():
    log.warning("call %d", next(counter))


def json_both_ways():
    return json.loads(json.dumps({"a": [1, 2, {"b": str(next(counter))}]}))


def pickled():
    return pickle.loads(pickle.dumps([Plain(1), {"x": next(counter)}]))


def copied():
    return copy.deepcopy({"a": [1, 2, 3], "b": {"c": (4, 5)}})


def matched():
    return re.findall(r"(\w+) (\d+)", f"call {next(counter)} of many")


def formatted():
    return f"{next(counter):>10} {[1.5, None]!r}"


def templated():
    return string.Template("$a and $b").substitute(a=next(counter), b=2)


def parsed_xml():
    return xml.etree.ElementTree.fromstring(f"<a><b>{next(counter)}</b></a>")


def read_csv():
    return list(csv.DictReader(io.StringIO(f"a,b\n1,{next(counter)}\n")))


def hashed():
    return hashlib.sha256(b"%d" % next(counter)).hexdigest()


def compressed():
    return zlib.decompress(zlib.compress(b"x" * 1000 + b"%d" % next(counter)))


def dated():
    return datetime.datetime.fromtimestamp(next(counter)).isoformat()


def decimals():
    return decimal.Decimal(next(counter)) / 7


def heaped():
    heap = state.setdefault("heap", [])
    heapq.heappush(heap, random.random())
    if len(heap) > 300:
        heapq.heappop(heap)


def bisected():
    bisect.insort(rows, random.random())
    if len(rows) > 200:
        rows.pop(0)


def packed():
    return struct.unpack("<IQ", struct.pack("<IQ", 1, next(counter)))


def arrays():
    return array.array("d", range(100))


def named():
    return uuid.uuid4().hex


def database():
    made = state.get("database")
    if made is None:
        made = state["database"] = sqlite3.connect(":memory:")
        made.execute("create table t (a integer primary key, b text)")
    made.execute("insert or replace into t values (?, ?)", (next(counter) % 100, "x" * 50))
    return made.execute("select count(*) from t").fetchone()


def caught():
    try:
        raise ValueError(next(counter))
    except ValueError as error:
        return str(error)


def last_error():
    try:
        raise ValueError([1] * 50)
    except ValueError as error:
        state["error"] = error


def generated():
    def numbers():
        yield from range(20)

    generator = numbers()
    return next(generator)


def classes_dropped():
    return type("Dropped", (Plain,), {"x": next(counter)})


def functions_dropped():
    space: dict = {}
    exec("def made(a=1): return a", space)
    return space["made"]()


def modules_replaced():
    sys.modules["bounded_made"] = types.ModuleType("bounded_made")


def lazily_imported():
    import colorsys
    import difflib
    import textwrap

    return colorsys, difflib, textwrap


def one_thread_a_call():
    thread = threading.Thread(target=nothing)
    thread.start()
    thread.join()


pool = concurrent.futures.ThreadPoolExecutor(4)


def thread_pool():
    return pool.submit(sum, range(10)).result()


def thread_pool_unwaited():
    pool.submit(nothing)


def bounded_queue():
    made = state.setdefault("queue", queue.Queue(50))
    if made.full():
        made.get()
    made.put(bytes(100))


def contexts():
    return contextvars.copy_context().run(context.set, (next(counter),))


def set_again():
    token = context.set((next(counter),))
    context.reset(token)


def malloc_and_free():
    libc.free(libc.malloc(random.randrange(20_000)))


def mapped_and_closed():
    block = mmap.mmap(-1, 65536)
    block[0] = 1
    block.close()


def c_ring():
    ring = state.setdefault("c", collections.deque())
    ring.append(libc.malloc(random.randrange(1, 3000)))
    if len(ring) > 200:
        libc.free(ring.popleft())


def temporary_files():
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 100)


def counted():
    made = state.setdefault("count", collections.Counter())
    made[next(counter) % 150] += 1


def large_number():
    state["number"] = state.get("number", 1) + 10**6


def collected_by_itself():
    first = Plain(bytes(2000))
    first.other = first
    gc.collect(0)


def bytearray_reused():
    made = state.setdefault("bytes", bytearray())
    made.extend(bytes(random.randrange(500)))
    if len(made) > 30_000:
        del made[:]


def observers_removed():
    observers = state.setdefault("observers", [])
    observers.append(lambda: None)
    while len(observers) > 30:
        observers.pop(0)
