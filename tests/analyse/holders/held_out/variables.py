"""Variables of modules, classes and functions, and what their values are."""

from __future__ import annotations

from tests.analyse.holders.held_out.case import Case

CASES = (
    Case(
        name="module_global",
        right=("ROWS",),
        program="""\
ROWS = [bytes(1000) for _ in range(6000)]
wait()
""",
    ),
    Case(
        name="other_module_global",
        right=("shop_prices", "TABLE"),
        program="""\
import sys, types
module = types.ModuleType("shop_prices")
sys.modules["shop_prices"] = module
exec("TABLE = {n: str(n) * 100 for n in range(12000)}", module.__dict__)
del module
wait()
""",
    ),
    Case(
        name="foreign_module_attribute",
        right=("json", "LOOKUP"),
        program="""\
import json
json.LOOKUP = {n: bytes(1000) for n in range(6000)}
wait()
""",
    ),
    Case(
        name="class_attribute",
        right=("Registry", "seen"),
        program="""\
class Registry:
    seen = []

    def see(self, row):
        self.seen.append(row)

for n in range(6000):
    Registry().see({"n": n, "text": str(n) * 100})
wait()
""",
    ),
    Case(
        name="class_attribute_of_the_base",
        right=("Base", "_instances"),
        program="""\
class Base:
    _instances = {}

    def __init__(self, n):
        self.text = str(n) * 200
        self._instances[n] = self

class Child(Base):
    pass

for n in range(6000):
    Child(n)
wait()
""",
    ),
    Case(
        name="metaclass_registry",
        right=("Meta", "registry"),
        program="""\
class Meta(type):
    registry = {}

    def __new__(cls, name, bases, namespace):
        made = super().__new__(cls, name, bases, namespace)
        cls.registry[name] = made
        return made

def define():
    for n in range(2500):
        Meta("Model%d" % n, (), {"x": n})

define()
wait()
""",
    ),
    Case(
        name="instance_attribute",
        right=("SERVICE", "cache"),
        program="""\
class Service:
    def __init__(self):
        self.name = "prices"
        self.cache = {}
        self.started = True

    def answer(self, n):
        return self.cache.setdefault(n, bytes(1000))

SERVICE = Service()
for n in range(6000):
    SERVICE.answer(n)
wait()
""",
    ),
    Case(
        name="property_behind",
        right=("REPORT", "_rows"),
        program="""\
class Report:
    def __init__(self):
        self._rows = None
        self._name = "weekly"

    @property
    def rows(self):
        if self._rows is None:
            self._rows = [bytes(1000) for _ in range(6000)]
        return self._rows

REPORT = Report()
REPORT.rows
wait()
""",
    ),
    Case(
        name="cached_property",
        right=("MONTHLY", "rows"),
        program="""\
import functools

class Report:
    def __init__(self):
        self.title = "monthly"

    @functools.cached_property
    def rows(self):
        return [bytes(1000) for _ in range(6000)]

MONTHLY = Report()
MONTHLY.rows
wait()
""",
    ),
    Case(
        name="dataclass",
        right=("SETTINGS", "words"),
        program="""\
import dataclasses

@dataclasses.dataclass
class Settings:
    name: str
    words: list

SETTINGS = Settings("all", [str(n) * 200 for n in range(6000)])
wait()
""",
    ),
    Case(
        name="slots_instance",
        right=("TREE", "payload"),
        program="""\
class Node:
    __slots__ = ("left", "right", "payload")

    def __init__(self):
        self.left = self.right = None
        self.payload = [bytes(1000) for _ in range(6000)]

TREE = Node()
wait()
""",
    ),
    Case(
        name="namedtuple",
        right=("LATEST",),
        program="""\
from collections import namedtuple
Snapshot = namedtuple("Snapshot", "rows stamp")
LATEST = Snapshot([bytes(1000) for _ in range(6000)], 17)
wait()
""",
    ),
    Case(
        name="closure",
        right=("look", "table"),
        program="""\
def make():
    table = {n: bytes(1000) for n in range(6000)}

    def look(key):
        return table[key]

    return look

finder = make()
wait()
""",
    ),
    Case(
        name="default_argument",
        right=("add", "seen"),
        program="""\
def add(row, seen=[]):
    seen.append(row)
    return len(seen)

for n in range(6000):
    add(bytes(1000))
wait()
""",
    ),
    Case(
        name="keyword_default",
        right=("render", "templates"),
        program="""\
class Page:
    def render(self, name, *, templates={}):
        return templates.setdefault(name, "x" * (1000 + name % 9))

for n in range(6000):
    Page().render(n)
wait()
""",
    ),
    Case(
        name="function_attribute",
        right=("handler", "memo"),
        program="""\
def handler(n):
    return handler.memo.setdefault(n, bytes(1000))

handler.memo = {}
for n in range(6000):
    handler(n)
wait()
""",
    ),
    Case(
        name="lru_cache",
        right=("load_page",),
        program="""\
import functools

@functools.lru_cache(maxsize=None)
def load_page(n):
    return bytes(1000 + n % 7)

for n in range(6000):
    load_page(n)
wait()
""",
    ),
    Case(
        name="cache_on_a_method",
        right=("Repo", "fetch"),
        program="""\
import functools

class Repo:
    @functools.cache
    def fetch(self, key):
        return {"key": key, "body": "x" * (1000 + key % 9)}

repo = Repo()
for n in range(6000):
    repo.fetch(n)
wait()
""",
    ),
    Case(
        name="singledispatch",
        right=("show",),
        program="""\
import functools

@functools.singledispatch
def show(value):
    return "?"

def register():
    for n in range(2000):
        kind = type("Kind%d" % n, (), {})
        show.register(kind, lambda value: "kind")

register()
wait()
""",
    ),
)
