"""Where do packages come from?  The settings a user made for one of uv and pip, as the other understands them.

What stands in the environment is passed on: each tool reads its own files itself.  No index is ever named by us.
"""

from __future__ import annotations

from collections.abc import Mapping

_UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
_PIP_INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
_NO = ("", "0", "false", "no", "off")


def for_uv(env: Mapping[str, str]) -> dict[str, str]:
    """This environment, with what was set for pip only."""
    found = dict(env)
    if not _any(env, _UV_INDEXES):
        _copy(found, "PIP_INDEX_URL", "UV_DEFAULT_INDEX")
        if _copy(found, "PIP_EXTRA_INDEX_URL", "UV_INDEX"):
            found.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # so does pip
    if not env.get("UV_FIND_LINKS") and env.get("PIP_FIND_LINKS"):
        found["UV_FIND_LINKS"] = ",".join(env["PIP_FIND_LINKS"].split())
    return found


def without_index(env: Mapping[str, str]) -> bool:
    """Did the user forbid every index?  uv has an option for that, and no variable."""
    return any(env.get(name, "").lower() not in _NO for name in ("PIP_NO_INDEX", "UV_NO_INDEX"))


def for_pip(env: Mapping[str, str]) -> dict[str, str]:
    """This environment, with what was set for uv only; and pip may install into a folder in it."""
    found = {**env, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    if not _any(env, _PIP_INDEXES):
        _copy(found, "UV_INDEX_URL", "PIP_INDEX_URL")
        _copy(found, "UV_DEFAULT_INDEX", "PIP_INDEX_URL")
        more = [env.get("UV_EXTRA_INDEX_URL", ""), env.get("UV_INDEX", "")]
        if urls := [_unnamed(word) for text in more for word in text.split()]:
            found["PIP_EXTRA_INDEX_URL"] = " ".join(urls)
    if not env.get("PIP_FIND_LINKS") and env.get("UV_FIND_LINKS"):
        found["PIP_FIND_LINKS"] = " ".join(env["UV_FIND_LINKS"].split(","))
    if without_index(env):
        found["PIP_NO_INDEX"] = "1"
    return found


def _any(env: Mapping[str, str], names: tuple[str, ...]) -> bool:
    return any(env.get(name) for name in names)


def _copy(env: dict[str, str], source: str, name: str) -> bool:
    if env.get(source):
        env[name] = _unnamed(env[source]) if name.startswith("PIP_") else env[source]
    return bool(env.get(source))


def _unnamed(index: str) -> str:
    """An index may have a name for uv: ``inner=https://…``."""
    name, sign, url = index.partition("=")
    return url if sign and name.replace("-", "").replace("_", "").isalnum() else index
