"""Programs that keep 20,000 texts alive, each by another kind of holder; the root that is to be found first."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

BULK = "['%030d' % i for i in range(20_000)]"
BULK_BYTES = 20_000 * 71  # from 3.12 on; 79 before

APP = """
import functools

class Service:
    def fill(self, rows):
        self._cache = rows

class Slotted:
    __slots__ = ("rows",)

@functools.lru_cache(512)
def convert(x):
    return bytes(50_000)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A program, and who holds most in it: the first row of HOLDERS."""

    name: str
    program: str
    root: str
    kind: str
    path: str
    shared_with: tuple[str, ...] = ()


def _one(name: str, program: str, root: str, kind: str, path: str = "", *shared_with: str) -> Planted:
    return Planted(
        name=name,
        program=textwrap.dedent(program).replace("BULK", BULK),
        root=root,
        kind=kind,
        path=path or f"{root} → str × 20,000",
        shared_with=shared_with,
    )


SINGLE = (
    _one("global", "import app\napp.CACHE = BULK\nprobing.snapshot()", "app.CACHE", "global"),
    _one(
        "global dict of lists",
        "import app\napp.CACHE = {1: BULK, 2: []}\nprobing.snapshot()",
        "app.CACHE",
        "global",
        "app.CACHE → list × 2 → str × 20,000",
    ),
    _one(
        "attribute",
        "import app\napp.service = app.Service()\napp.service.fill(BULK)\nprobing.snapshot()",
        "app.service",
        "global",
        "app.service._cache → str × 20,000",
    ),
    _one("keys", "import app\napp.CACHE = dict.fromkeys(BULK)\nprobing.snapshot()", "app.CACHE", "global"),
    _one(
        "bound method",
        """
        import app
        class Work:
            def __init__(self): self.rows = BULK
            def go(self): pass
        app.callback = Work().go
        probing.snapshot()
        """,
        "app.callback",
        "global",
        "rows → str × 20,000",
    ),
    _one(
        "slot",
        "import app\napp.one = app.Slotted()\napp.one.rows = BULK\nprobing.snapshot()",
        "app.one",
        "global",
        "app.one.rows → str × 20,000",
    ),
    _one(
        "class attribute",
        "import app\napp.Service.items = BULK\nprobing.snapshot()",
        "app.Service.items",
        "class attribute",
    ),
    _one(
        "lru_cache",
        "import app\nfor i in range(512): app.convert(i)\nprobing.snapshot()",
        "app.convert: lru_cache, 512 of 512 entries",
        "lru_cache",
        "app.convert: lru_cache, 512 of 512 entries → bytes × 512",
    ),
    _one(
        "frame",
        """
        def main():
            rows = BULK
            probing.snapshot()
        main()
        """,
        "__main__.main: local rows",
        "local",
    ),
    _one(
        "generator",
        """
        def produce():
            rows = BULK
            yield 1
            yield rows
        running = produce()
        next(running)
        probing.snapshot()
        """,
        "generator __main__.produce (__main__.running)",
        "generator",
        "rows → str × 20,000",
    ),
    _one(
        "task",
        """
        import asyncio
        async def poll():
            rows = BULK
            await asyncio.sleep(60)
            return rows
        async def main():
            task = asyncio.create_task(poll(), name="poller")
            await asyncio.sleep(0)
            probing.snapshot()
            task.cancel()
        asyncio.run(main())
        """,
        "task poller running __main__.poll",
        "task",
        "rows → str × 20,000",
    ),
    _one(
        "thread",
        """
        import threading
        ended, begun = threading.Event(), threading.Event()
        def work():
            rows = BULK
            begun.set()
            ended.wait()
            return rows
        thread = threading.Thread(target=work, name="worker-1")
        thread.start()
        begun.wait()
        probing.snapshot()
        ended.set()
        thread.join()
        """,
        "thread 'worker-1': __main__.work: local rows",
        "thread",
    ),
    _one(
        "executor queue",
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        ended = threading.Event()
        pool = ThreadPoolExecutor(1)
        pool.submit(ended.wait)
        for i in range(3):
            pool.submit(len, BULK)
        probing.snapshot()
        ended.set()
        pool.shutdown()
        """,
        "executor queue of concurrent.futures.thread.ThreadPoolExecutor (__main__.pool)",
        "executor queue",
        "executor queue of concurrent.futures.thread.ThreadPoolExecutor (__main__.pool)",
    ),
    _one(
        "logging handler",
        """
        import logging, logging.handlers
        log = logging.getLogger("app")
        log.propagate = False
        log.addHandler(logging.handlers.MemoryHandler(10**9))
        for i in range(20_000): log.error("%030d" % i)
        probing.snapshot()
        log.handlers[0].buffer.clear()
        """,
        "logging handler logging.handlers.MemoryHandler",
        "logging handler",
        "logging.LogRecord × 20,000",
    ),
    _one(
        "exception",
        """
        import app
        def run():
            rows = BULK
            raise ValueError("no")
        try:
            run()
        except ValueError as error:
            app.last = error
        probing.snapshot()
        """,
        "exception ValueError (app.last)",
        "exception traceback",
        "__main__.run: local rows → str × 20,000",
    ),
    _one(
        "default",
        "def collect(x, seen=BULK): return seen\nprobing.snapshot()",
        "__main__.collect: default argument seen",
        "default argument",
    ),
    _one(
        "closure",
        """
        def make():
            rows = BULK
            return lambda: rows
        held = make()
        probing.snapshot()
        """,
        "__main__.make.<locals>.<lambda>: closure rows",
        "closure",
    ),
)

DOUBLE = (
    _one(
        "two containers",
        """
        import app
        objects = BULK
        app.A, app.B = tuple(objects), list(objects)
        del objects
        probing.snapshot()
        """,
        "app.A",
        "global",
        "app.A → str × 20,000",
        "app.B",
    ),
    _one(
        "two names of one object",
        """
        import app
        app.CACHE = app.Service.rows = BULK
        probing.snapshot()
        """,
        "app.CACHE",
        "global",
        "app.CACHE → str × 20,000",
        "app.Service.rows",
    ),
    _one(
        "a class and a local",
        """
        import app
        def main():
            rows = BULK
            app.Service.rows = tuple(rows)
            probing.snapshot()
        main()
        """,
        "__main__.main: local rows",
        "local",
        "str × 20,000",
        "app.Service.rows",
    ),
    _one(
        "an instance and a default",
        """
        import app
        def collect(x, seen=[]): return seen
        app.service = app.Service()
        app.service.fill(BULK)
        collect.__defaults__[0].extend(app.service._cache)
        probing.snapshot()
        """,
        "__main__.collect: default argument seen",
        "default argument",
        "str × 20,000",
        "app.service",
    ),
)
