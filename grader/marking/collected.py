"""The hidden suites as pytest collects them: once, and then run for one submission after another.

`pytest.main` for each submission would read its configuration and collect the same tests anew every time,
which costs more than most checks do. What pytest offers to plugins that drive it from elsewhere is used here
as pytest-xdist uses it: a prepared `Config`, its `Session`, and the protocol of one test.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.config import _prepareconfig

from grader.limits import CHECK_SECONDS
from grader.suites.context import CONTEXT, Context

SUITES = Path(__file__).parent.parent / "suites"
# None of these has a part in marking, and together they would cost half of its time.
UNUSED_PLUGINS = (
    *("cacheprovider", "logging", "unraisableexception", "threadexception", "junitxml", "pastebin"),
    *("doctest", "debugging", "faulthandler", "setuponly", "setupplan", "stepwise", "recwarn", "tmpdir"),
    "legacypath",
)
ARGUMENTS = (
    str(SUITES),
    f"--rootdir={SUITES}",
    f"--config-file={SUITES / 'pytest.ini'}",
    "--import-mode=importlib",
    "--assert=plain",
    "--quiet",
    "--capture=no",
    # The plugin reads the exceptions themselves. To print them pytest would parse every file on the way: half
    # of the time of a submission that fails everything.
    "--tb=no",
    "-ppytest_timeout",
    *(f"-pno:{plugin}" for plugin in UNUSED_PLUGINS),
    f"--timeout={CHECK_SECONDS}",
)


class CollectedSuites:
    """All hidden tests, ready to run.

    Raises:
        Exception: whatever pytest has against the suites: the grader's own fault.
    """

    def __init__(self) -> None:
        self._output = io.StringIO()
        # The suites run as they are, whatever pytest settings the surroundings hold.
        for variable in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            os.environ.pop(variable, None)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        with self._quiet():
            self._config = _prepareconfig(list(ARGUMENTS), [_Markers()])
            try:
                self._session = pytest.Session.from_config(self._config)
                self._config._do_configure()
                self._config.hook.pytest_sessionstart(session=self._session)
                tests = self._session.perform_collect()
            except BaseException:
                self._config._ensure_unconfigure()
                raise
        self._tests = [test for test in tests if isinstance(test, pytest.Item)]
        if self._session.testsfailed or not self._tests:
            said = [line for line in self._output.getvalue().splitlines() if line.strip()]
            self.close()
            raise RuntimeError(f"the suites cannot be collected: {said[-1] if said else 'there are none'}")

    def run(
        self,
        context: Context,
        plugin: object,
        choose: Callable[[list[pytest.Item]], list[pytest.Item]],
    ) -> None:
        """Run tests for a submission.

        Args:
            context: the submission.
            plugin: its hooks hold for this run only.
            choose: which tests to run, in which order, out of all.

        Raises:
            BaseException: pytest itself failed, or was interrupted; these suites cannot be run again.
        """
        self._config.stash[CONTEXT] = context
        self._config.pluginmanager.register(plugin)
        try:
            with self._quiet():
                tests = choose(list(self._tests))
                for test, following in zip(tests, [*tests[1:], None], strict=True):
                    # The last one is followed by none: the fixtures of the session end with it.
                    test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        finally:
            self._config.pluginmanager.unregister(plugin)
            del self._config.stash[CONTEXT]
            self._forget()

    def _forget(self) -> None:
        """What pytest keeps of each test for its summary would grow with the cohort."""
        self._output.seek(0)
        self._output.truncate()
        self._session.testsfailed = 0
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.stats.clear()

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        with contextlib.redirect_stdout(self._output), contextlib.redirect_stderr(self._output):
            yield

    def close(self) -> None:
        """End the fixtures that are left, and pytest."""
        with self._quiet(), contextlib.suppress(Exception):
            self._session._setupstate.teardown_exact(None)
        with self._quiet():
            self._config._ensure_unconfigure()


class _Markers:
    """Makes the suites' marks known."""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "item(id): the rubric item that a module's tests belong to")
