"""The pytest plugin: ``pytest --diag`` says what each test, fixture and import does to memory.

Without an option, a marker or an ini key of ours nothing is measured, and hardly anything imported.
"""

from __future__ import annotations

from collections.abc import Generator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from diagtools.pytest_plugin.models import options as model_options
from diagtools.pytest_plugin.options import MARKERS, add_options, read_settings

if TYPE_CHECKING:
    from diagtools.pytest_plugin.measuring import Measuring
    from diagtools.pytest_plugin.models.fixtures import model_cache, recorded_model
    from diagtools.pytest_plugin.models.kept import kept_file

__all__ = ["kept_file", "model_cache", "recorded_model"]

_FOR_CONFTESTS = {
    "kept_file": "diagtools.pytest_plugin.models.kept",
    "model_cache": "diagtools.pytest_plugin.models.fixtures",
    "recorded_model": "diagtools.pytest_plugin.models.fixtures",
}

_MEASURING: pytest.StashKey[Measuring] = pytest.StashKey()
_ASKING = ("diag", "diag_dir", "diag_trace", "diag_threshold", "diag_cap", "diag_delta_cap", "diag_suggest")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``pytest --help``."""
    add_options(parser)
    model_options.add(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    """What is imported from here on is measured, if that was asked for."""
    asked = early_config.known_args_namespace
    if any(getattr(asked, name, None) for name in _ASKING) or getattr(asked, "diag_html", None) is not None:
        from diagtools.pytest_plugin.begin import begin

        early_config.stash[_MEASURING] = begin(early_config)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Everything that was asked for is understood here, or is an error."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    from diagtools.pytest_plugin.begin import register
    from diagtools.pytest_plugin.models import plugin as model_plugin

    model_plugin.register(config)
    register(config, read_settings(config), config.stash.get(_MEASURING, None))


def __getattr__(name: str) -> object:
    """What conftests import from here, loaded when they do."""
    if name not in _FOR_CONFTESTS:
        raise AttributeError(f"module 'diagtools.pytest_plugin' has no attribute {name!r}")
    return getattr(import_module(_FOR_CONFTESTS[name]), name)
