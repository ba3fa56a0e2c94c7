"""What is executed, or waits to be: frames, generators, tasks, threads."""

from __future__ import annotations

from tests.analyse.holders.held_out.case import Case

CASES = (
    Case(
        name="running_frame",
        right=("crunch", "rows"),
        program="""\
def crunch():
    rows = [bytes(1000) for _ in range(6000)]
    wait()
    return len(rows)

crunch()
""",
    ),
    Case(
        name="frame_of_a_caller",
        right=("outer", "table"),
        program="""\
def inner(n):
    wait()

def outer():
    table = {n: bytes(1000) for n in range(6000)}
    inner(len(table))
    return table

outer()
""",
    ),
    Case(
        name="evaluation_stack",
        right=("scan",),
        gap="what an expression has at hand is in no variable, and the interpreter does not tell of it",
        program="""\
def scan():
    for row in [bytes(1000) for _ in range(6000)]:
        wait()

scan()
""",
    ),
    Case(
        name="generator",
        right=("pages", "buffer"),
        program="""\
def pages():
    buffer = [bytes(1000) for _ in range(6000)]
    for row in buffer:
        yield row

reader = pages()
next(reader)
wait()
""",
    ),
    Case(
        name="async_generator",
        right=("ticks", "window"),
        program="""\
async def ticks():
    window = [bytes(1000) for _ in range(6000)]
    for row in window:
        yield row

stream = ticks()
try:
    stream.__anext__().send(None)
except StopIteration:
    pass
wait()
""",
    ),
    Case(
        name="coroutine",
        right=("fetch", "body"),
        program="""\
class Suspend:
    def __await__(self):
        yield

async def fetch():
    body = [bytes(1000) for _ in range(6000)]
    await Suspend()
    return body

pending = fetch()
pending.send(None)
wait()
""",
    ),
    Case(
        name="task",
        right=("worker", "batch"),
        program="""\
import asyncio

async def worker():
    batch = [bytes(1000) for _ in range(6000)]
    await asyncio.sleep(3600)
    return batch

async def main():
    task = asyncio.create_task(worker(), name="ingest")
    await asyncio.sleep(0)
    wait()

asyncio.run(main())
""",
    ),
    Case(
        name="finished_tasks",
        right=("BACKGROUND",),
        program="""\
import asyncio
BACKGROUND = set()

async def read():
    return bytes(100_000)

async def main():
    for n in range(60):
        BACKGROUND.add(asyncio.create_task(read()))
    await asyncio.sleep(0.01)
    wait()

asyncio.run(main())
""",
    ),
    Case(
        name="call_later",
        right=("on_timeout|_scheduled|TimerHandle",),
        program="""\
import asyncio

def on_timeout(rows):
    rows.clear()

async def main():
    asyncio.get_running_loop().call_later(3600, on_timeout, [bytes(1000) for _ in range(6000)])
    wait()

asyncio.run(main())
""",
    ),
    Case(
        name="asyncio_queue",
        right=("main", "queue"),
        program="""\
import asyncio

async def main():
    queue = asyncio.Queue()
    for n in range(6000):
        queue.put_nowait(bytes(1000))
    wait()
    return queue

asyncio.run(main())
""",
    ),
    Case(
        name="thread_args",
        right=("consume",),
        program="""\
import threading

def consume(items):
    threading.Event().wait()

threading.Thread(target=consume, args=([bytes(1000) for _ in range(6000)],), daemon=True).start()
wait()
""",
    ),
    Case(
        name="thread_never_started",
        right=("LATER",),
        program="""\
import threading
LATER = threading.Thread(target=print, args=([bytes(1000) for _ in range(6000)],))
wait()
""",
    ),
    Case(
        name="thread_local",
        right=("STATE", "buffer"),
        program="""\
import threading
STATE = threading.local()
STATE.buffer = [bytes(1000) for _ in range(6000)]
wait()
""",
    ),
    Case(
        name="thread_local_of_a_worker",
        right=("CONTEXT", "session"),
        program="""\
import threading
CONTEXT = threading.local()
ready = threading.Event()

def serve():
    CONTEXT.session = {n: bytes(1000) for n in range(6000)}
    ready.set()
    threading.Event().wait()

threading.Thread(target=serve, daemon=True).start()
ready.wait()
wait()
""",
    ),
    Case(
        name="executor_queue",
        right=("POOL",),
        program="""\
import threading
from concurrent.futures import ThreadPoolExecutor
POOL = ThreadPoolExecutor(1)
stuck = threading.Event()
POOL.submit(stuck.wait)
for n in range(3000):
    POOL.submit(len, bytes(2000))
wait()
""",
    ),
    Case(
        name="pool_results",
        right=("RESULTS",),
        program="""\
from multiprocessing.pool import ThreadPool
POOL = ThreadPool(1)
RESULTS = [POOL.apply_async(bytes, (100_000,)) for _ in range(60)]
for result in RESULTS:
    result.wait()
del result
wait()
""",
    ),
    Case(
        name="exception_traceback",
        right=("LAST", "parse"),
        program="""\
def parse():
    lines = [bytes(1000) for _ in range(6000)]
    raise ValueError(len(lines))

try:
    parse()
except ValueError as error:
    LAST = error
wait()
""",
    ),
    Case(
        name="exceptions_in_a_list",
        right=("ERRORS",),
        program="""\
ERRORS = []

def attempt(n):
    body = bytearray(100_000)
    raise KeyError(n)

for n in range(60):
    try:
        attempt(n)
    except KeyError as error:
        ERRORS.append(error)
wait()
""",
    ),
    Case(
        name="context_variable",
        right=("request_cache",),
        program="""\
import contextvars
current = contextvars.ContextVar("request_cache")
current.set([bytes(1000) for _ in range(6000)])
wait()
""",
    ),
    Case(
        name="context_object",
        right=("REQUEST",),
        program="""\
import contextvars
current = contextvars.ContextVar("user_rows")
REQUEST = contextvars.copy_context()
REQUEST.run(current.set, {n: bytes(1000) for n in range(6000)})
wait()
""",
    ),
)
