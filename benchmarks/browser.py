"""A page in headless Chromium, driven over the DevTools protocol: real clicks, and how long the page takes for them."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks.processes import NotStartedError, running

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
    "--window-size=1300,1400",
)
_PATIENCE_S = 60.0
_SETTLES_S = 0.3
#: From the click, as the browser received it, until the frame is shown after the last change that the click made.
#: A message is delivered after the frame in whose beginning it was sent.
_WATCH = """(() => {
  let began = 0;
  window.shownAfter = null;
  addEventListener("click", (event) => { began = event.timeStamp; window.shownAfter = null; }, true);
  const shown = new MessageChannel();
  shown.port1.onmessage = () => { window.shownAfter = performance.now() - began; };
  new MutationObserver(() => requestAnimationFrame(() => shown.port2.postMessage(0))).observe(
    document.querySelector("figure"), {subtree: true, attributes: true, childList: true, characterData: true});
})()"""


def chromium() -> str | None:
    """Where is the browser?  Null where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page that is open."""

    def __init__(self, connection: WebSocketClientConnection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection, self._loop = connection, loop
        self._numbers = itertools.count(1)

    def call(self, method: str, **options: object) -> dict[str, Any]:
        """What does the browser answer to this command?"""
        command = {"id": next(self._numbers), "method": method, "params": options}
        answer = self._loop.run_until_complete(asyncio.wait_for(self._answer(command), _PATIENCE_S))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    async def _answer(self, command: dict[str, object]) -> dict[str, Any]:
        await self._connection.write_message(json.dumps(command))
        while (said := await self._connection.read_message()) is not None:
            answer: dict[str, Any] = json.loads(said)
            if answer.get("id") == command["id"]:
                return answer
        raise NotStartedError("The browser closed the connection.")

    def value(self, expression: str) -> Any:
        """What is the value of this expression in the page?"""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"The page: {answer['exceptionDetails'].get('text', '')}")
        return answer["result"].get("value")

    def open(self, page: Path) -> None:
        """Opens a page of ours, and waits until its first chart is drawn."""
        self.call("Page.navigate", url=page.resolve().as_uri())
        self._until("document.querySelectorAll('figure.drawn').length > 0")
        time.sleep(_SETTLES_S)
        self.value(_WATCH)

    def click_ms(self, x: float, y: float) -> float:
        """How long after a click here is the last frame shown that it changed?"""
        at = {"x": x, "y": y}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", **at)
        time.sleep(_SETTLES_S)
        self.value("window.shownAfter = null")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)
        self._until("window.shownAfter !== null")
        time.sleep(_SETTLES_S)
        return float(self.value("window.shownAfter"))

    def _until(self, condition: str) -> None:
        until = time.monotonic() + _PATIENCE_S
        while not self.value(condition):
            if time.monotonic() > until:
                raise NotStartedError(f"The page does not get so far: {condition}")
            time.sleep(0.02)


@contextmanager
def tab(browser: str, folder: Path) -> Iterator[Tab]:
    """An empty page in a browser of its own, which ends with the block; ``folder`` is for what it keeps."""
    with running([browser, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]) as process:
        address = _address(folder / "DevToolsActivePort")
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)  # what the connection takes for its own outside of it
        try:
            connection = loop.run_until_complete(_connected(address))
            yield Tab(connection, loop)
            connection.close()
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            process.terminate()
            process.wait()


async def _connected(address: str) -> WebSocketClientConnection:
    return await websocket_connect(address, max_message_size=1 << 30)


def _address(file: Path) -> str:
    """Where does the first page listen?"""
    until = time.monotonic() + _PATIENCE_S
    while not file.exists() or "\n" not in file.read_text(encoding="ascii"):
        if time.monotonic() > until:
            raise NotStartedError("The browser does not start.")
        time.sleep(0.05)
    port = int(file.read_text(encoding="ascii").splitlines()[0])
    while time.monotonic() < until:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=_PATIENCE_S) as answer:
            pages = [each for each in json.load(answer) if each["type"] == "page"]
        if pages:
            return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise NotStartedError("The browser opens no page.")
