"""Written after the rules were fixed: what the check says of these was never used to mend it.

``LEAKS`` leak at least 64 bytes a call, ``BOUNDED`` do not.
"""

import asyncio
import collections
import concurrent.futures
import ctypes
import email.message
import enum
import fnmatch
import functools
import hashlib
import html.parser
import inspect
import itertools
import json
import linecache
import queue
import random
import sched
import signal
import socket
import tempfile
import textwrap
import threading
import time
import traceback
import types
import typing
import urllib.parse
import warnings
import weakref

counter = itertools.count()
store: dict = {}
bag: list = []
lock = threading.Lock()


class Request:
    history: typing.ClassVar[list] = []

    def __init__(self, path):
        self.path, self.headers = path, {"accept": "*", "id": str(next(counter))}


class Bus:
    def __init__(self):
        self.listeners = collections.defaultdict(list)

    def on(self, name, listener):
        self.listeners[name].append(listener)


bus = Bus()
scheduler = sched.scheduler()
tree: dict = {}


class Tracker(type):
    made: typing.ClassVar[list] = []

    def __call__(cls, *args):
        made = super().__call__(*args)
        Tracker.made.append(made)
        return made


class Tracked(metaclass=Tracker):
    def __init__(self, value):
        self.value = value


# --- leaks ---------------------------------------------------------------------------------------------


def class_history():
    Request.history.append(Request("/a"))


def event_bus():
    payload = {"n": next(counter), "data": "x" * 40}
    bus.on("done", lambda: payload)


def scheduled_never():
    scheduler.enter(1e6, 1, print, (next(counter),))


def metaclass_registry():
    Tracked([1, 2, next(counter)])


def url_memo():
    key = urllib.parse.urlsplit(f"http://host/{next(counter)}?q=1")
    store[key.path] = key


def trie():
    node = tree
    for letter in f"{random.randrange(10**6):06}":
        node = node.setdefault(letter, {})


def log_of_traces():
    try:
        json.loads("{")
    except ValueError:
        bag.append(traceback.format_exc())


def cycle_in_registry():
    first = Request("/cycle")
    first.me = first
    store[id(first)] = first


def heap_of_timeouts():
    import heapq

    heapq.heappush(bag, (time.monotonic(), next(counter), {"timeout": 5}))


def subclasses_kept():
    bag.append(enum.Enum(f"Color{next(counter)}", "RED GREEN"))


def queue_without_reader():
    store.setdefault("queue", queue.Queue()).put(("job", next(counter), [0] * 5))


def sets_of_sets():
    store.setdefault("sets", set()).add(frozenset({next(counter), "a", "b"}))


def burst_every_25th():
    if next(counter) % 25 == 0:
        bag.extend(bytes(200) for _ in range(12))


def threads_that_wait():
    if next(counter) % 10 == 0:
        threading.Thread(target=threading.Event().wait, daemon=True).start()


def c_hash_contexts():
    context = hashlib.sha256(b"%d" % next(counter))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(context))


# --- bounded -------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=2500)
def _parsed(text):
    return json.loads(text)


def parsed_again():
    _parsed(f'{{"a": [{next(counter)}]}}')


def filename_cache():
    fnmatch.fnmatch("a.txt", f"*.{next(counter)}")


def url_cache():
    urllib.parse.urlsplit(f"http://host{next(counter)}/")


def one_socket():
    left, right = socket.socketpair()
    left.send(b"x")
    right.recv(1)
    left.close()
    right.close()


def loop_of_its_own():
    asyncio.run(asyncio.sleep(0))


def message():
    made = email.message.EmailMessage()
    made["Subject"] = f"call {next(counter)}"
    made.set_content("text")
    return made.as_string()


def parser():
    made = html.parser.HTMLParser()
    made.feed(f"<p>{next(counter)}</p>")


def signature():
    return inspect.signature(parser), inspect.getdoc(parser)


def warned():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn(f"call {next(counter) % 20}", stacklevel=1)


def ttl_cache():
    now = next(counter)
    store[now] = bytes(random.randrange(100, 300))
    for key in [key for key in store if key < now - 800]:
        del store[key]


def two_generations():
    young = store.setdefault("young", {})
    young[next(counter)] = [1, 2]
    if len(young) > 900:
        store["old"], store["young"] = young, {}


def wrapped():
    return textwrap.fill("word " * 50, 30), linecache.getline(__file__, 1)


def per_instance_cache():
    class Once:
        @functools.cached_property
        def value(self):
            return [0] * 100

    return Once().value


def pool_of_its_own():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(len, ["a", "b"]))


def temporary_folder():
    # Not by pathlib: the parts of a path are interned, and CPython 3.12 never lets go of what is interned: a leak.
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/a", "w") as file:  # noqa: PTH123
        file.write("x" * 1000)


def namespace_replaced():
    store["space"] = types.SimpleNamespace(**{f"a{next(counter) % 5}": bytes(500)})


def proxied():
    made = Request("/")
    return weakref.proxy(made).path, weakref.ref(made)


def handler_set_again():
    signal.signal(signal.SIGUSR1, lambda *_: None)


def mostly_hits():
    key = min(int(random.expovariate(0.05)), 200)
    store.setdefault(key, bytes(300))


LEAKS = (
    class_history,
    event_bus,
    scheduled_never,
    metaclass_registry,
    url_memo,
    log_of_traces,
    cycle_in_registry,
    heap_of_timeouts,
    subclasses_kept,
    queue_without_reader,
    sets_of_sets,
    burst_every_25th,
    threads_that_wait,
    c_hash_contexts,
    trie,
)
BOUNDED = (
    parsed_again,
    filename_cache,
    url_cache,
    one_socket,
    loop_of_its_own,
    message,
    parser,
    signature,
    warned,
    ttl_cache,
    two_generations,
    wrapped,
    per_instance_cache,
    pool_of_its_own,
    temporary_folder,
    namespace_replaced,
    proxied,
    handler_set_again,
    mostly_hits,
)
