"""aiohttp 3.10.10: a server with a middleware, asked for pages that it does not have."""

from __future__ import annotations

import asyncio

from aiohttp import web

REQUESTS = 60
BODY = b"x" * 100_000


@web.middleware
async def unchanged(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Any middleware will do."""
    return await handler(request)


async def ask(port: int, number: int) -> None:
    """One request, answered with 404."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = [
        f"POST /missing/{number} HTTP/1.1",
        "Host: shop",
        "Connection: close",
        f"Content-Length: {len(BODY)}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + BODY)
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 404")
    writer.close()


async def main() -> None:
    """The server is closed at the end: what is still held then was not needed to answer."""
    runner = web.AppRunner(web.Application(middlewares=[unchanged]))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    for number in range(REQUESTS):
        await ask(runner.addresses[0][1], number)
    await runner.cleanup()


asyncio.run(main())
