"""Real and mocked models in a test suite: hooks and fixtures (see ``model_options`` for which test gets what).

Nothing beside ``unittest.mock`` and ``pytest-mock``: a test patches what it likes with those.  This decides for a whole
suite, sees a loader that was called past its mock, and keeps, measures, records and frees real models.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from diagtools.errors import DiagtoolsError
from diagtools.pytest_plugin.models import fixtures as model_fixtures
from diagtools.pytest_plugin.models import options as model_options
from diagtools.pytest_plugin.models import report as model_report
from diagtools.pytest_plugin.models.fixtures import SessionModels, declared_by
from diagtools.pytest_plugin.models.identity import DeclaredModel, Identities, as_usage
from diagtools.pytest_plugin.models.mocking import Mocking
from diagtools.pytest_plugin.models.options import REAL_MARK, ModelMode, ModelSettings
from diagtools.pytest_plugin.models.recorded_answers import Recordings
from diagtools.pytest_plugin.models.store import ModelCache

_REPORTED = "diagtools_models"  # in what an xdist worker sends home


def register(config: pytest.Config) -> ModelPlugin:
    """Reads and checks what the ini says, and takes part in the session.  Raises ``pytest.UsageError``."""
    config.addinivalue_line("markers", model_options.MARKER)
    plugin = ModelPlugin(config, model_options.read(config))
    config.pluginmanager.register(plugin, "diagtools-models")
    config.stash[model_fixtures.MODELS] = plugin.models
    config.pluginmanager.register(model_fixtures, "diagtools-model-fixtures")
    return plugin


class ModelPlugin:
    """What happens around each test, fixture and file."""

    def __init__(self, config: pytest.Config, settings: ModelSettings) -> None:
        self._config = config
        self._settings = settings
        self._mocking = Mocking(settings)
        self._identities = Identities(settings.root)
        self._recordings = Recordings(self._identities, is_recording=settings.mode is ModelMode.REAL)
        self._from_workers: list[model_report.Told] = []
        self.cache = ModelCache(settings, self._mocking, self._identities)
        self.models = SessionModels(self.cache, self._recordings)

    def pytest_report_header(self) -> str | None:
        """What is mocked, in a line?"""
        return model_report.header(self._settings)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Tests that need what this session does not load are skipped."""
        if self._settings.mode is ModelMode.MOCK:
            reason = f"--diag-models=mock: the test is marked {REAL_MARK}"
            for item in items:
                if item.get_closest_marker(REAL_MARK):
                    item.add_marker(pytest.mark.skip(reason=reason))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Models that tests will load are as declared, or there is no session; workers find it out at the load."""
        if hasattr(self._config, "workerinput"):
            return
        for item in session.items:
            for declared in declared_by(item):
                try:
                    self._identities.meet(declared)
                    if self._loads(declared, item):
                        self._identities.check(declared)
                except DiagtoolsError as error:
                    raise as_usage(error) from None

    def _loads(self, declared: DeclaredModel, item: pytest.Item) -> bool:
        """Will the test load the real model, as far as its fixtures tell?"""
        if self._settings.mode is ModelMode.MOCK:
            return False
        return not (self._settings.is_mocked(item) and self._mocking.has_mock(str(declared.loader)))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Importing a test file loads no model in the folders of ``diag_mock_paths``."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        with self._mocking.of_import(collector.path):
            report = yield
        refused = self._mocking.take_refused()
        if refused:
            report.outcome, report.longrepr, report.result = "failed", "\n".join(map(str, refused)), []
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Everything of a test happens with its mocks, or without any; what it held is free afterwards."""
        self.models.item = item
        try:
            with self._mocking.of_test(item):
                return (yield)
        finally:
            self.models.item = None
            self.cache.free_due()
            self._recordings.write()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fixtures of a wider scope that hold the other kind of model are set up anew."""
        known: dict[str, Any] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
        self._mocking.release([fixture for fixtures in known.values() for fixture in fixtures])
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: Any
    ) -> Generator[None, object, object]:
        """What a fixture of a wider scope loads, it holds for the tests after."""
        with self._mocking.of_fixture(fixturedef, request):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A real load fails the test, also where its exception was caught or raised in a thread."""
        report = yield
        told = "\n".join(dict.fromkeys(map(str, self._mocking.take_refused())))
        if told and told not in report.longreprtext:
            if report.failed or hasattr(report, "wasxfail"):
                report.sections.append(("diagtools models", told))
            else:
                report.outcome, report.longrepr = "failed", told
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """What an interrupt has left is freed as well; a worker sends home what it loaded."""
        self.cache.free_due()
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_REPORTED] = model_report.Told.of(self.cache).as_json()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What a worker loaded, for the summary."""
        text = (getattr(node, "workeroutput", None) or {}).get(_REPORTED)
        if text:
            self._from_workers.append(model_report.Told.from_json(text))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Which models were loaded, what did they cost, did they go, and which were missing?"""
        lines = model_report.summary([model_report.Told.of(self.cache), *self._from_workers])
        if lines:
            terminalreporter.section("models")
            for line in lines:
                terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Nothing of this is left in the process."""
        self._mocking.close()
