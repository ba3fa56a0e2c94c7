"""What modules of the standard library keep for the program."""

from __future__ import annotations

from tests.analyse.holders.held_out.case import Case

CASES = (
    Case(
        name="logging_handler",
        right=("Keep",),
        program="""\
import logging

class Keep(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)

logging.getLogger("audit").addHandler(Keep())
logging.getLogger("audit").propagate = False
for n in range(3000):
    logging.getLogger("audit").warning("row %s", "x" * (2000 + n % 3))
wait()
""",
    ),
    Case(
        name="bound_method_callback",
        right=("CALLBACKS",),
        program="""\
CALLBACKS = []

class Session:
    def __init__(self):
        self.history = [bytes(1000) for _ in range(60)]

    def on_close(self):
        return len(self.history)

for n in range(100):
    CALLBACKS.append(Session().on_close)
wait()
""",
    ),
    Case(
        name="finalize_args",
        right=("finalize",),
        program="""\
import weakref

class Connection:
    pass

def clean(rows):
    rows.clear()

connection = Connection()
weakref.finalize(connection, clean, [bytes(1000) for _ in range(6000)])
wait()
""",
    ),
    Case(
        name="atexit",
        right=("atexit",),
        gap="C code keeps the arguments, and nothing tells of them",
        program="""\
import atexit

def flush(rows):
    rows.clear()

atexit.register(flush, [bytes(1000) for _ in range(6000)])
wait()
""",
    ),
    Case(
        name="exit_stack",
        right=("STACK",),
        program="""\
import contextlib
STACK = contextlib.ExitStack()

def release(block):
    pass

for n in range(3000):
    STACK.callback(release, bytes(2000))
wait()
""",
    ),
    Case(
        name="re_cache",
        right=("re", "_cache"),
        program="""\
import re
for n in range(25):
    re.match("x" + chr(97 + n) * 20_000, "x")
wait()
""",
    ),
    Case(
        name="signal_handler",
        right=("signal|SIG|on_signal",),
        program="""\
import signal

class Reloader:
    def __init__(self):
        self.rows = [bytes(1000) for _ in range(6000)]

    def on_signal(self, number, frame):
        self.rows.clear()

def install():
    signal.signal(signal.SIGUSR2, Reloader().on_signal)

install()
wait()
""",
    ),
    Case(
        name="module_outside_sys_modules",
        right=("PLUGINS",),
        program="""\
import types
PLUGINS = []

def load():
    plugin = types.ModuleType("plugin_rules")
    exec("RULES = [bytes(1000) for _ in range(6000)]", plugin.__dict__)
    PLUGINS.append(plugin)

load()
wait()
""",
    ),
    Case(
        name="popen_list",
        right=("CHILDREN",),
        program="""\
import subprocess
CHILDREN = []
for n in range(60):
    CHILDREN.append(subprocess.Popen(["true", "x" * 100_000 + str(n)]))
for child in CHILDREN:
    child.wait()
del child
wait()
""",
    ),
    Case(
        name="class_cleanups",
        right=("TestCase|SearchCase", "_class_cleanups"),
        program="""\
import unittest

class SearchCase(unittest.TestCase):
    def test_it(self):
        pass

SearchCase.addClassCleanup(print, [bytes(1000) for _ in range(6000)])
wait()
""",
    ),
    Case(
        name="gc_garbage",
        right=("garbage",),
        program="""\
import gc

class Node:
    def __init__(self):
        self.me = self
        self.block = bytes(1000)

gc.set_debug(gc.DEBUG_SAVEALL)
for n in range(6000):
    Node()
gc.collect()
wait()
""",
    ),
    Case(
        name="linecache",
        right=("linecache", "cache"),
        program="""\
import linecache
for n in range(60):
    linecache.cache["file%d.py" % n] = (100_000, None, ["x" * 900 + str(i) for i in range(100)], "file")
wait()
""",
    ),
)
