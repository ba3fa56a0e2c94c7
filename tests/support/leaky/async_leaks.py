"""Async functions: some leak, some do not.  ``# <- NAME`` stands at the line whose memory NAME leaves behind."""

import asyncio

kept: list = []
bounded: dict = {}


async def results():
    await asyncio.sleep(0)
    kept.append(bytes(100))  # <- results


async def done_tasks():
    task = asyncio.ensure_future(asyncio.sleep(0))  # <- done_tasks
    await task
    kept.append(task)


async def waiting_tasks():
    kept.append(asyncio.ensure_future(asyncio.Event().wait()))  # <- waiting_tasks


async def futures():
    kept.append(asyncio.get_running_loop().create_future())  # <- futures


async def callbacks():
    if not bounded:
        bounded["future"] = asyncio.get_running_loop().create_future()
    bounded["future"].add_done_callback(lambda _: None)  # <- callbacks


async def awaited():
    await asyncio.gather(*[asyncio.sleep(0) for _ in range(3)])


async def forgotten_tasks():
    asyncio.ensure_future(asyncio.sleep(0.001))  # noqa: RUF006 - nobody keeps it


async def queued():
    queue: asyncio.Queue = asyncio.Queue(10)
    await queue.put(bytes(100))
    await queue.get()


async def timed_out():
    try:  # noqa: SIM105 - as programs have it
        await asyncio.wait_for(asyncio.Event().wait(), 0.0001)
    except asyncio.TimeoutError:  # noqa: UP041 - another one before 3.11
        pass
