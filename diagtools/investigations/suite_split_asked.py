"""What a test session tells whoever is to advise on it; the session itself imports this: standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from diagtools.errors import UsageError

#: Set for the sessions that an advice runs: they advise on nothing themselves, whatever their ini file asks for.
ADVISED_VARIABLE = "DIAGTOOLS_ADVISED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How the session was run, and how it is to be run again; ``folder`` is its run, ``args`` those of pytest.

    ``redirected`` are the options whose files the session has written: a second run is not to write over them.
    ``uses`` has the tests that use a fixture; none of them where the session handed its tests out.  It goes through a
    pipe and into no file: arguments may hold a password.
    """

    folder: str
    root: str
    cwd: str
    args: tuple[str, ...]
    is_module: bool
    has_xdist: bool
    has_coverage: bool
    has_cache: bool
    redirected: tuple[str, ...]
    uses: Mapping[str, tuple[str, ...]]

    def as_json(self) -> str:
        """For the pipe."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Asked:
        """The same again; raises ``UsageError`` where it is none."""
        try:
            said = json.loads(text)
            uses = {name: tuple(each) for name, each in said["uses"].items()}
            lists = {name: tuple(said[name]) for name in ("args", "redirected")}
            return cls(**{**said, **lists, "uses": uses})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UsageError(
                f"That is no request for advice: {error}.", hint="pytest --diag-suggest"
            ) from error
