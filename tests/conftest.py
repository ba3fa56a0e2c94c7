"""What every test may rely on."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["pytester"]  # suites that are studied in a process, or a folder, of their own

# No deadline: a shared machine is slow at times, and no test asserts a time. No database of examples in the tree:
# a failure prints the line that repeats it. CI tries the same examples each time, everybody else new ones.
hypothesis.settings.register_profile(
    "diagtools", deadline=None, database=None, print_blob=True, derandomize="CI" in os.environ
)
hypothesis.settings.load_profile("diagtools")


def pytest_configure(config: pytest.Config) -> None:
    """Keep Jupyter's and IPython's files out of the home folder, for the kernels that tests start as well."""
    folder = tempfile.TemporaryDirectory(prefix="diagtools-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    for name in ["IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"]:
        os.environ[name] = str(Path(folder.name) / name.lower())
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime keeps a device id there, and reports its use


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Who takes SIGINT over gives it back: the next test, and whoever runs them, may be interrupted.

    A notebook that was executed in this process before may not have done so.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    after = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert after is signal.default_int_handler


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).parents[1]
