"""The pytest plugin: ``pytest --diag`` says what each test, fixture and import does to memory.

Without an option, a marker or an ini key of ours nothing is measured, and hardly anything imported.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from diagtools.pytest_plugin import model_options
from diagtools.pytest_plugin.options import MARKERS, add_options, read_settings

if TYPE_CHECKING:
    from diagtools.pytest_plugin.measuring import Measuring

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
    from diagtools.pytest_plugin import model_plugin
    from diagtools.pytest_plugin.begin import register

    model_plugin.register(config)
    register(config, read_settings(config), config.stash.get(_MEASURING, None))
