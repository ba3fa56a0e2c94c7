"""How does a probe get into every Python process that a command starts, whatever its command line?

The recorder puts the variables of ``environment`` into the command's environment.  `site` then imports
``inject/sitecustomize.py`` in each Python that starts, which runs ``start`` there: under ``python x.py``, ``-m`` and
``-c``, console scripts, launchers and shells, workers of xdist and multiprocessing.  Not under ``-I``, ``-E`` or
``-S``, nor where a parent hands on another environment: such a process writes no boot marker.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

RUN_VARIABLE = "DIAGTOOLS_RUN"
UNDER_VARIABLE = "DIAGTOOLS_ITEMS_UNDER"
CALLS_VARIABLE = "DIAGTOOLS_ITEMS_CALLS"
ALLOCATIONS_VARIABLE = "DIAGTOOLS_ALLOCATIONS"
LEDGER_VARIABLE = "DIAGTOOLS_LEDGER"
HOLDERS_VARIABLE = "DIAGTOOLS_HOLDERS"
IMPORTS_VARIABLE = "DIAGTOOLS_IMPORTS"
LAZY_VARIABLE = "DIAGTOOLS_LAZY"
WITHOUT_VARIABLE = "DIAGTOOLS_WITHOUT"
OVERLAY_VARIABLE = "DIAGTOOLS_OVERLAY"
SNIPPETS_VARIABLE = "DIAGTOOLS_SNIPPETS"

_PROBES = os.path.dirname(os.path.abspath(__file__))
_MARK = os.path.join(os.path.dirname(_PROBES), "mark.py")
#: The module that sees to what each variable asks for; the others are not loaded.
_PROBE_OF = {UNDER_VARIABLE: "items", CALLS_VARIABLE: "calls"}
#: What ``_change_world`` takes.
_CHANGES = (WITHOUT_VARIABLE, OVERLAY_VARIABLE, SNIPPETS_VARIABLE)
_BOOTED = "_diagtools_booted"  # in sys
INJECTED = os.path.join(_PROBES, "inject")


def environment(
    existing: "Mapping[str, str]",
    run_folder: str,
    *,
    items_under: "str | None" = None,
    items_calls: "str | None" = None,
    allocations: "str | None" = None,
    ledger: "str | None" = None,
    holders: "str | None" = None,
    without: "str | None" = None,
    lazy: "str | None" = None,
    overlay: "str | None" = None,
    snippets: "str | None" = None,
) -> dict[str, str]:
    """Which variables does a command need to be recorded?  Those to add to or replace in its ``existing`` ones.

    ``run_folder`` and ``items_under`` are made absolute; ``items_calls`` is ``module:function`` or
    ``module:Class.method``; ``allocations`` is the tracker and its options (see ``allocations`` and ``moments``),
    ``ledger`` and ``holders`` the options of the snapshots (see ``moments``).  What is changed: ``without`` (see
    ``patches.block``), ``lazy`` (see ``laziness.watch``), ``overlay`` (see ``overlays.watch``; its folder stands
    first on the path), ``snippets``: the folder of ``snippets.watch``.
    What an outer recording set for any of these is emptied.
    """
    paths = existing.get("PYTHONPATH", "").split(os.pathsep) if existing.get("PYTHONPATH") else []
    first = [INJECTED, overlay.partition(":")[2]] if overlay else [INJECTED]
    added = {
        "PYTHONPATH": os.pathsep.join([*first, *(path for path in paths if path not in first)]),
        RUN_VARIABLE: os.path.abspath(run_folder),
    }
    wanted = {
        UNDER_VARIABLE: items_under and os.path.abspath(items_under),
        CALLS_VARIABLE: items_calls,
        ALLOCATIONS_VARIABLE: allocations,
        LEDGER_VARIABLE: ledger,
        HOLDERS_VARIABLE: holders,
        WITHOUT_VARIABLE: without,
        LAZY_VARIABLE: lazy,
        OVERLAY_VARIABLE: overlay,
        SNIPPETS_VARIABLE: snippets,
    }
    for name, value in wanted.items():
        if value or name in existing:
            added[name] = value or ""
    return added


def imports_environment(
    existing: "Mapping[str, str]",
    run_folder: str,
    *,
    imports: str = "",
    lazy: str = "",
    without: str = "",
) -> dict[str, str]:
    """Which variables does a command need so that the imports of its processes are recorded, or changed?

    ``imports`` is ``costs`` or ``graph``, ``lazy`` the name of a compiled file (see ``laziness.watch``), ``without``
    what is not installed (see ``patches.block``).  Neither markers nor items are recorded in these processes.
    """
    path = environment(existing, run_folder)["PYTHONPATH"]
    folder = os.path.abspath(run_folder)
    return {
        "PYTHONPATH": path,
        RUN_VARIABLE: "",
        IMPORTS_VARIABLE: imports and f"{imports}:{folder}",
        LAZY_VARIABLE: lazy and f"{lazy}:{folder}",
        WITHOUT_VARIABLE: without,
    }


def start() -> None:
    """Put the probes that the environment asks for into this process, and mark that they are there.

    Once a process.  What fails is said by a boot marker, if that can be written, and otherwise by its absence.
    """
    if _BOOTED in vars(sys):
        return
    vars(sys)[_BOOTED] = True
    _change_world(*(os.environ.get(name) for name in _CHANGES))
    lazy = os.environ.get(LAZY_VARIABLE)
    if lazy:
        _probe("laziness").watch(lazy)
    imports = os.environ.get(IMPORTS_VARIABLE)
    if imports:
        _probe("imports").watch(imports)
    if os.environ.get(RUN_VARIABLE):
        _start_with_markers()


def _change_world(without: "str | None", overlay: "str | None", snippets: "str | None") -> None:
    """What an experiment takes away or puts in; what became of it is noted where the process is recorded."""
    folder = os.environ.get(RUN_VARIABLE)
    if not folder:
        if without:
            _probe("patches").block(without)
        return
    if not (without or overlay or snippets):
        return
    snippet = _probe("snippets")
    notes = _probe("tracker_notes").Notes(folder, snippet.NOTES)
    try:
        if without:
            _probe("patches").block(without, notes.once_each("blocked"))
        after = _probe("after_import").AfterImport()
        if overlay:
            _probe("overlays").watch(overlay, after, notes)
        if snippets:
            snippet.watch(snippets, after, notes, _probe("ticker").Ticker)
    except Exception as error:  # noqa: BLE001 - the program goes on as it was, and the run says so
        notes.write("failed", f"{type(error).__name__}: {error}")


def _start_with_markers() -> None:
    mark = _load("diagtools.mark", _MARK)
    recorder = mark.recorder
    if recorder is None:
        return
    version = " ".join(sys.version.split())
    try:
        sys.meta_path.append(_Supplier(mark))
        for variable, probe in _PROBE_OF.items():
            asked = os.environ.get(variable)
            if asked:
                _probe(probe).watch(asked, recorder)
    except Exception as error:  # noqa: BLE001 - the program goes on without the probe, and the run says so
        recorder.boot(version, f"{type(error).__name__}: {error}")
    else:
        recorder.boot(version)
    _observe_memory(recorder)


def _observe_memory(recorder: "Any") -> None:
    """By snapshots, as `moments` has it, and by memray: last, what ours allocate is no allocation of the program."""
    folder = os.environ[RUN_VARIABLE]
    asked = [os.environ.get(name) for name in (LEDGER_VARIABLE, HOLDERS_VARIABLE, ALLOCATIONS_VARIABLE)]
    by_memray = [each for each in asked if each and each.split()[0] == "memray"]
    snapshots = [each for each in asked if each and each not in by_memray]
    if snapshots:
        _probe("moments").watch(snapshots, folder, _probe, recorder)
    for each in by_memray:
        _probe("allocations").watch(each, folder, _probe)


def take_now(asked: "Sequence[str]", folder: str) -> None:
    """One snapshot by each instrument that is ``asked``, in a process that was not started recorded.

    Nothing of ours is left there for the collector.
    """
    loaded: list[ModuleType] = []

    def load(name: str) -> "ModuleType":
        loaded.append(_probe(name))
        return loaded[-1]

    try:
        load("moments").take_now(asked, folder, load)
    finally:
        for module in loaded:
            vars(module).clear()


class _Supplier:
    """Finds ``diagtools.mark`` where the program's own environment has none; it stands last on sys.meta_path."""

    def __init__(self, mark: "ModuleType") -> None:
        self._modules: dict[str, ModuleType | None] = {"diagtools": None, "diagtools.mark": mark}

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name not in self._modules:
            return None
        make: type[ModuleSpec] = sys.modules["_frozen_importlib"].ModuleSpec
        return make(name, self, origin="supplied by a recording", is_package=name == "diagtools")  # type: ignore[arg-type]

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        return self._modules[spec.name]

    def exec_module(self, module: "ModuleType") -> None:
        """It is an empty package, or it has been executed."""


def _probe(name: str) -> "ModuleType":
    return _load("diagtools.probes." + name, os.path.join(_PROBES, name + ".py"))


def _load(name: str, path: str) -> "ModuleType":
    """A module of ours that the program does not see: it is not in sys.modules."""
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader(name, path)
    code: CodeType = loader.get_code(name)
    module = type(sys)(name)
    module.__file__ = path
    exec(code, vars(module))
    return module
