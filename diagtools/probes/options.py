"""The sampler's command line; its keys are described in ``sampler``."""

from __future__ import annotations

import os

_PREFIX = b"DIAGTOOLS_TARGET_ENV_"


class Options:
    """What one recording was asked for.  Absent numbers are 0, absent paths empty."""

    def __init__(self) -> None:
        self.folder = ""
        self.cwd = ""
        self.cgroup_procs = ""
        self.cgroup_usage = ""
        self.cgroup_events = ""
        self.hz = 100.0
        self.recorder = 0
        self.status = -1
        self.cap = 0
        self.cgroup_cap = 0
        self.address_space = 0
        self.attach = 0
        self.segment = 32 << 20
        self.terminals: tuple[int, ...] = ()
        self.argv: list[str] = []
        self.env: dict[bytes, bytes] = {}

    @classmethod
    def parse(cls, arguments: list[str]) -> Options:
        """The options of one command line; an unknown key is an error of the caller (``AttributeError``)."""
        options = cls()
        split = arguments.index("--")
        for argument in arguments[:split]:
            key, _, text = argument.partition("=")
            if key == "terminals":
                options.terminals = tuple(int(part) for part in text.split(",") if part)
            else:
                setattr(options, key, type(getattr(options, key))(text))
        options.argv = arguments[split + 1 :]
        options.env = _target_environment()
        return options


def _target_environment() -> dict[bytes, bytes]:
    inherited = dict(os.environb)
    added = {
        name[len(_PREFIX) :]: inherited.pop(name) for name in list(inherited) if name.startswith(_PREFIX)
    }
    return {**inherited, **added}
