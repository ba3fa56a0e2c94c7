"""What do the memory pools of loaded libraries hold?  Only counters that are documented and cheap are asked.

pyarrow counts what each of its pools has handed out.  polars' allocator (jemalloc, linked into it), onnxruntime's arena
(blocks of the C library's) and torch on the CPU (which has none) tell nothing that can be asked here.
"""

# No "from __future__": it would be an import of the program.

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from typing import Any

_ARROW = "pyarrow.lib"
_ARROW_POOLS = ("default_memory_pool", "mimalloc_memory_pool", "jemalloc_memory_pool", "system_memory_pool")


def pools(missing: "list[str]") -> "list[dict[str, Any]]":
    """Name, allocator and bytes of each pool; what could not be asked is added to ``missing``."""
    module = sys.modules.get(_ARROW)
    if module is None:
        return []
    found: dict[str, dict[str, Any]] = {}
    for name in _ARROW_POOLS:
        make = vars(module).get(name)
        if make is None or isinstance(
            make, type(pools)
        ):  # a function of Python: something was put in its place
            continue
        try:
            pool = make()
            backend = str(pool.backend_name)
            held, most = pool.bytes_allocated(), pool.max_memory()
        except NotImplementedError:  # built without that allocator
            continue
        except Exception as error:  # noqa: BLE001 - it is theirs; the file says so
            missing.append(f"pyarrow: {type(error).__name__}: {error}")
            continue
        if backend not in found:
            found[backend] = {
                "library": "pyarrow",
                "backend": backend,
                "held_bytes": int(held),
                "peak_bytes": None if most is None else int(most),
                "is_default": not found,
            }
    return list(found.values())
