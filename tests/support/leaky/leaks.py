"""Functions that leak at least 64 bytes a call.  ``# <- NAME`` stands at the line whose memory NAME leaves behind."""

import array
import collections
import contextvars
import ctypes
import functools
import io
import itertools
import logging
import mmap
import random
import re
import struct
import sys
import threading
import types
import weakref

counter = itertools.count()
turns = itertools.count()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.strdup.restype = ctypes.c_void_p
libc.calloc.restype = ctypes.c_void_p
libc.mmap.restype = ctypes.c_void_p
libz = ctypes.CDLL("libz.so.1")
ctypes.pythonapi.PyObject_Malloc.restype = ctypes.c_void_p
kept_list: list = []
kept_dict: dict = {}
kept_set: set = set()
ordered: collections.OrderedDict = collections.OrderedDict()
groups: collections.defaultdict = collections.defaultdict(list)
queue: collections.deque = collections.deque()
grown_bytes = bytearray()
grown_array = array.array("d")
grown_file = io.BytesIO()
grown_text = io.StringIO()
by_thread = threading.local()
observers: list = []
registry: dict = {}
context: contextvars.ContextVar = contextvars.ContextVar("context", default=())
weak: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def list_of_bytes():
    kept_list.append(bytes(100))  # <- list_of_bytes


def list_of_64_bytes():
    kept_list.append(bytes(31))  # <- list_of_64_bytes


def list_of_large_bytes():
    kept_list.append(bytes(5000))  # <- list_of_large_bytes


def dict_by_number():
    kept_dict[next(counter)] = str(next(turns)) * 20  # <- dict_by_number


def dict_by_text():
    kept_dict[f"request {next(counter)}"] = True  # <- dict_by_text


def set_of_tuples():
    kept_set.add((next(counter), "x"))  # <- set_of_tuples


def ordered_dict():
    ordered[next(counter)] = [1, 2, 3]  # <- ordered_dict


def grouped():
    groups[next(counter) % 10].append(b"x" * 80 + b"%d" % next(turns))  # <- grouped


def unbounded_deque():
    queue.append({"a": 1, "b": next(counter)})  # <- unbounded_deque


def growing_bytearray():
    grown_bytes.extend(bytes(64))  # <- growing_bytearray


def growing_array():
    grown_array.extend([1.0] * 10)  # <- growing_array


def growing_bytesio():
    grown_file.write(b"x" * 70)  # <- growing_bytesio


def growing_stringio():
    grown_text.write("x" * 60 + f"{next(counter):04}")  # <- growing_stringio


class Node:
    def __init__(self):
        self.other = None
        self.payload = [0] * 5  # <- cycle_with_del_kept

    def __del__(self):
        self.payload = None


def cycle_with_del_kept():
    first, second = Node(), Node()
    first.other, second.other = second, first
    kept_list.append(first)


class Phoenix:
    def __init__(self):
        self.payload = bytes(200)  # <- resurrected

    def __del__(self):
        kept_list.append(self)


def resurrected():
    Phoenix()


def closures():
    large = list(range(30))  # <- closures

    def closure():
        return large

    observers.append(closure)


def bound_methods():
    class_like = Handler()
    observers.append(class_like.handle)


class Handler:
    def __init__(self):
        self.state = [None] * 20  # <- bound_methods weak_values_kept

    def handle(self):
        return self.state


def partials():
    observers.append(functools.partial(print, next(counter), "x" * 50))  # <- partials


def generators_kept():
    observers.append(endless())  # <- generators_kept


def endless():
    while True:
        yield 1


def started_generators():
    generator = endless()  # <- started_generators
    next(generator)
    observers.append(generator)


def classes_made():
    registry[next(counter)] = type("Made", (), {"x": 1})  # <- classes_made


def modules_made():
    module = types.ModuleType(f"made_{next(counter)}")  # <- modules_made
    sys.modules[module.__name__] = module


def module_attributes():
    setattr(sys.modules[__name__], f"attribute_{next(counter)}", [1, 2, 3, 4])  # <- module_attributes


def functions_made():
    space: dict = {}
    exec("def made(a=1): return a", space)  # <- functions_made
    registry[next(counter)] = space["made"]


def loggers_by_request():
    logging.getLogger(f"request.{next(counter)}")  # <- loggers_by_request


def handlers_added():
    logging.getLogger("leaky").addHandler(logging.NullHandler())  # <- handlers_added


@functools.cache
def unlimited(key):
    return f"value {key}" * 4  # <- unlimited_cache


def unlimited_cache():
    unlimited(next(counter))


class Cached:
    @functools.cache  # noqa: B019 - it is the leak
    def value(self, x):
        return [x] * 20  # <- cache_of_methods


def cache_of_methods():
    Cached().value(1)


def memo_default(key=None, memo={}):  # noqa: B006 - as above
    memo[next(counter)] = f"x{next(turns)}" * 10  # <- memo_default


def in_thread_local():
    if not hasattr(by_thread, "seen"):
        by_thread.seen = []
    by_thread.seen.append(bytes(90))  # <- in_thread_local


def in_context():
    context.set((next(counter), context.get()))  # <- in_context


def exceptions_kept():
    try:
        raise_one()
    except ValueError as error:
        observers.append(error)


def raise_one():
    local = list(range(50))  # <- exceptions_kept
    raise ValueError(local)


def weak_values_kept():
    key = Handler()
    weak[key] = key.state
    kept_list.append(key)


def every_10th_call():
    if next(counter) % 10 == 0:
        kept_list.append(bytes(1000))  # <- every_10th_call


def every_50th_call():
    if next(counter) % 50 == 0:
        kept_list.append(bytes(5000))  # <- every_50th_call


def one_in_ten_at_random():
    if random.random() < 0.1:
        kept_list.append(bytes(1000))  # <- one_in_ten_at_random


def random_sizes():
    kept_list.append(bytes(random.randrange(50, 150)))  # <- random_sizes


def below_a_sawtooth():
    work = registry.setdefault("work", [])
    work.append(bytes(50))
    if len(work) >= 100:
        work.clear()
    kept_list.append(bytes(200))  # <- below_a_sawtooth


def beside_temporaries():
    parts = [bytes(random.randrange(2000)) for _ in range(10)]
    kept_list.append(b"".join(parts)[:100])  # <- beside_temporaries


def slow_linked_list():
    registry["head"] = {"next": registry.get("head")}  # <- slow_linked_list


def compiled_patterns():
    kept_list.append(re.compile(f"a{{{next(counter)}}}"))  # <- compiled_patterns


def structs():
    kept_list.append(struct.Struct(f"<{next(counter) % 7 + 20}I"))  # <- structs


def memoryviews():
    kept_list.append(memoryview(bytearray(100)))  # <- memoryviews


def c_malloc():
    libc.malloc(100)  # <- c_malloc


def c_malloc_64():
    libc.malloc(64)  # <- c_malloc_64


def c_malloc_large():
    libc.malloc(300_000)  # <- c_malloc_large


def c_calloc():
    libc.calloc(10, 20)  # <- c_calloc


def c_strdup():
    libc.strdup(b"x" * 100)  # <- c_strdup


def c_raw_malloc():
    ctypes.pythonapi.PyMem_RawMalloc(100)  # <- c_raw_malloc


def c_mem_malloc():
    ctypes.pythonapi.PyMem_Malloc(100)  # <- c_mem_malloc


def c_object_realloc():
    address = ctypes.pythonapi.PyObject_Malloc(16)
    ctypes.pythonapi.PyObject_Realloc(ctypes.c_void_p(address), 600)  # <- c_object_realloc


def c_decoders():
    libz.inflateInit_(ctypes.create_string_buffer(200), b"1.2.11", 112)  # <- c_decoders


def c_every_10th_call():
    if next(counter) % 10 == 0:
        libc.malloc(1000)  # <- c_every_10th_call


def over_referenced():
    found = [1, 2, next(counter)]  # <- over_referenced
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(found))


def over_referenced_bytes():
    found = bytes(150)  # <- over_referenced_bytes
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(found))


def mappings():
    block = mmap.mmap(-1, 8192)  # <- mappings
    block[0] = 1
    kept_list.append(block)


def mappings_of_c():
    address = libc.mmap(None, 8192, 3, 0x22, -1, 0)  # <- mappings_of_c
    ctypes.memset(address, 1, 8192)


def ctypes_buffers():
    kept_list.append(ctypes.create_string_buffer(100))  # <- ctypes_buffers


def frames_kept():
    local = bytes(100)  # <- frames_kept
    kept_list.append(sys._getframe())
    return len(local)


def finalizers():
    weakref.finalize(finalizers, print, next(counter), "x" * 40)  # <- finalizers


def events_of_threads():
    observers.append(threading.Event())  # <- events_of_threads
