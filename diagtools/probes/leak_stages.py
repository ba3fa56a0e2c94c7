"""How is one function called in stages, and what is read between its calls?

First the warm-up; then stages of blocks with a reading after each, or what `leak_reasons` does.  A slow function is
called as often as the time allows.

While something may have grown in the last of the stages, there is one more, as long as all before together.  Caches of
functools that have a limit and were filling are cleared there before each reading: does what grew go with them?  Only
those: what a program keeps in a cache for good (a connection, its settings) would be made anew again and again, and
look like a leak.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Coroutine
    from types import ModuleType, TracebackType
    from typing import Any

BLOCKS = 10

_PROBES = os.path.dirname(os.path.abspath(__file__))
_LEAST_WARM = 3
_WARM_SHARE = 0.1  # of the time that there is
_STAGES_SHARE = 0.5  # of what is left: the rest is for one stage more
#: How much more there must ever have been, a call, for one stage more: far below what is called a leak.
_MAY_GROW = {"c": 8, "python": 8, "blocks": 0.05, "mapped": 64}
_TASKS_S = 0.05  # for tasks and threads of the calls to come to their end


class Stop(Exception):
    """The function cannot be called on: of which kind of ``leaks.FAILURES`` is it, where and why?"""


class Check:
    """Calls one function in stages and writes what it sees."""

    def __init__(
        self,
        function: "Any",
        log: "Any",
        load: "Callable[[str], ModuleType]",
        *,
        n_warm: int,
        budget_s: float,
        is_alone: bool = True,
    ) -> None:
        self._function, self.log, self.load = function, log, load
        self._n_warm, self.budget_ns = n_warm, int(budget_s * 1e9)
        self._is_alone = is_alone  # else the process is somebody's, and its output too
        counters = load("leak_counters")
        self.counters = counters.Counters(load)
        self._may_grow = [(counters.COUNTERS.index(name), least) for name, least in _MAY_GROW.items()]
        self._caches = load("leak_caches").Caches()
        self._n_calls = self._n_warmed = self._n_forks = 0
        self._call_ns = self._began_ns = 0
        self._is_async = self._waits = False
        self._first: tuple[int, ...] = ()
        self._most: tuple[int, ...] = ()
        self._n_first = 0
        self._pid = os.getpid()
        os.register_at_fork(after_in_parent=self._count_fork)

    def _count_fork(self) -> None:
        self._n_forks += 1

    @property
    def n_calls(self) -> int:
        """How many calls came back?"""
        return self._n_calls

    def run(self, mode: str, stages: "list[int]") -> None:
        """Warm up, then what the mode asks for; raises ``Stop``."""
        self._began_ns = self.log.now_ns()
        first = self._first_result()
        work = self._work(first, mode, stages)
        del first
        if self._is_async:
            import asyncio

            asyncio.run(work)
        else:
            _driven(work)
        self.log.write("end", self._n_calls - self._n_warmed, self._n_forks)

    def _first_result(self) -> "Any":
        """What does the first call return, where that must be awaited?"""
        try:
            result = self._function()
        except BaseException as error:  # noqa: BLE001 - whatever the function ends with is told
            raise self._stop(error, 0, is_first=True) from None
        if os.getpid() != self._pid:
            os._exit(0)
        name = type(result).__name__
        if name in ("generator", "async_generator"):
            raise Stop("generator", "", name)
        self._is_async = hasattr(type(result), "__await__")
        return result if self._is_async else None

    async def _work(self, first: "Any", mode: str, stages: "list[int]") -> None:
        if first is not None:
            await self._guarded(first)
            del first
        self._n_calls = 1
        await self._warm_up()
        if mode == "measure":
            await self._measure(stages)
        else:
            await self.load("leak_reasons").REASONS[mode](self, stages)

    async def _warm_up(self) -> None:
        """As many calls as are wanted, or as there is time for; how long does one take?"""
        began_ns = self.log.now_ns()  # the first call may have imported what it needs
        end_ns = began_ns + int(_WARM_SHARE * self.budget_ns)
        while self._n_calls < self._n_warm and (self._n_calls < _LEAST_WARM or self.log.now_ns() < end_ns):
            await self.call(min(10, self._n_warm - self._n_calls) if self._n_calls >= 10 else 1)
        self._n_warmed = self._n_calls
        self._call_ns = (self.log.now_ns() - began_ns) // max(1, self._n_warmed - 1)
        await self.settled()
        self._waits = True
        self.counters.read()  # what a first reading brings is there from here on
        is_cut = int(self._n_warmed < self._n_warm)
        self.log.write("warm", self._n_warmed, self._call_ns, int(self._is_async), is_cut)
        if self._is_alone:
            _silence()

    # --- what is done ----------------------------------------------------------------------------------

    async def _measure(self, stages: "list[int]") -> None:
        n_done = 0
        for stage in range(len(stages)):
            n = self.affordable(stages[stage:])[0]
            await self._stage(stage, n, clearing=False)
            n_done += n
        if self._may_have_grown() or self._caches.filling:
            n = min(n_done, self._left_ns() // max(self._call_ns, 1)) // BLOCKS * BLOCKS
            if n:
                await self._stage(len(stages), n, clearing=bool(self._caches.filling))

    def _may_have_grown(self) -> bool:
        """Since the second stage began: in the first one, much is made that stays."""
        grown = [most - first for first, most in zip(self._first, self._most)]
        n = self._n_calls - self._n_first
        return any(grown[at] >= least * n for at, least in self._may_grow)

    def _left_ns(self) -> int:
        passed_ns: int = self.log.now_ns() - self._began_ns
        return self.budget_ns - passed_ns

    def affordable(self, stages: "list[int]") -> "list[int]":
        """As many calls as there is time for; as much again is kept for one stage more."""
        wanted_ns = self._call_ns * sum(stages)
        share = min(1.0, _STAGES_SHARE * self._left_ns() / max(wanted_ns, 1))
        return [max(BLOCKS, int(n * share) // BLOCKS * BLOCKS) for n in stages]

    async def _stage(self, stage: int, n: int, *, clearing: bool) -> None:
        self._caches.begin()
        if clearing:
            self._caches.clear()
        self.log.write("stage", stage, n, int(clearing))
        first = await self._read(stage, 0)
        if stage <= 1:
            self._first, self._most, self._n_first = first, first, self._n_calls
        began_ns = self.log.now_ns()
        for block in range(1, BLOCKS + 1):
            await self.call(n // BLOCKS)
            if clearing:
                self._caches.clear()
            now = await self._read(stage, block)
            self._most = tuple([max(pair) for pair in zip(self._most, now)])
        self._call_ns = (self.log.now_ns() - began_ns) // n
        for cache in self._caches.end():
            self.log.write("cache", stage, *cache, int(clearing and cache[0] in self._caches.filling))

    async def _read(self, stage: int, block: int) -> "tuple[int, ...]":
        await self.settled()
        now: tuple[int, ...] = self.counters.read()
        n_calls = self._n_calls - self._n_warmed
        self.log.write("reading", stage, block, n_calls, self.log.now_ns(), *now)
        return now

    # --- calling ---------------------------------------------------------------------------------------

    async def call(self, n: int) -> None:
        """So many calls; raises ``Stop``."""
        at, function, pid = 0, self._function, self._pid
        try:
            while at < n:
                if self._is_async:
                    await function()
                else:
                    function()
                at += 1
                if os.getpid() != pid:
                    os._exit(0)  # a forked child that came back: only the parent goes on
        except BaseException as error:  # noqa: BLE001 - as above
            raise self._stop(error, at) from None
        self._n_calls += n

    async def _guarded(self, first: "Any") -> None:
        try:
            await first
        except BaseException as error:  # noqa: BLE001 - as above
            raise self._stop(error, 0, is_first=True) from None

    def _stop(self, error: BaseException, at: int, *, is_first: bool = False) -> Stop:
        if os.getpid() != self._pid:
            os._exit(0)
        self._n_calls += at
        if isinstance(error, SystemExit):
            return Stop("exited", "", str(error.code))
        trace = error.__traceback__
        if isinstance(error, TypeError) and trace is not None and trace.tb_next is None and is_first:
            return Stop("arguments", "", str(error))
        return Stop("raised", place_of(trace), f"{type(error).__name__}: {error}")

    async def settled(self) -> None:
        """Tasks and threads that the calls began come to their end, if they soon do."""
        if self._is_async:
            import asyncio

            await asyncio.sleep(0)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others and self._waits:
                _, pending = await asyncio.wait(others, timeout=_TASKS_S)
                self._waits = not pending  # those that stay are not waited for again and again
        elif self._waits and _threads() > 1:
            from time import sleep

            for _ in range(int(_TASKS_S * 1000)):
                if _threads() <= 1:
                    return
                sleep(0.001)
            self._waits = False


def _silence() -> None:
    """What it prints is in the run as often as it was called to warm up: that is enough, and fills no disk."""
    try:
        sys.stdout.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    except (AttributeError, OSError, ValueError):  # the program has closed it, or replaced it
        pass


def _driven(work: "Coroutine[Any, Any, None]") -> None:
    """A coroutine that waits for nothing is done at once."""
    try:
        work.send(None)
    except StopIteration:
        pass


def _threads() -> int:
    threading = sys.modules.get("threading")
    return threading.active_count() if threading is not None else 1


def place_of(trace: "TracebackType | None") -> str:
    """Which line raised, innermost?"""
    place = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((_PROBES, "<frozen ")):
            place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
