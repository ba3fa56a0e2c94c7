"""A real model answers once, and tests hear the same answers ever after, without the model.

In a ``conftest.py``::

    from diagtools.pytest_plugin import recorded_model

    embedder = recorded_model("app.models:load", version="1.0", file="models/minilm.onnx")

``pytest --diag-models=real`` loads the model and records what it answers, in ``model_recordings`` beside the
``conftest.py``; every other session replays that and loads nothing.  A recording of another version, or of a file with
another hash, is an error; so is an input that was not recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.pytest_plugin.models.identity import DeclaredModel, Identities, as_failure
from diagtools.pytest_plugin.models.recorded_file import (
    HINT,
    RecordedIdentity,
    Recording,
    add_to_recording,
    check_identity,
    read_recording,
)
from diagtools.pytest_plugin.models.recorded_values import decode, encode, input_hash

FOLDER = "model_recordings"


class Replayed:
    """Answers as the recorded model did: called itself, by its methods, by attributes that are plain values."""

    def __init__(self, path: Path, declared: RecordedIdentity, types: tuple[type, ...]) -> None:
        self._path = path
        self._types = types
        self._recording = read_recording(path)
        check_identity(self._recording.identity, declared, path)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the model answered when it was called itself."""
        __tracebackhide__ = True
        return self._answer("__call__", *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._recording.values:
            return decode(self._recording.values[name], self._types)
        return partial(self._answer, name)

    def _answer(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        key = input_hash(method, args, kwargs)
        if key not in self._recording.answers:
            shown = self._recording.identity.model if method == "__call__" else method
            raise NoDataError(
                f"The recording '{self._path.name}' has no answer of {shown} to this input (hash {key[:12]}, "
                f"{len(self._recording.answers)} others are recorded).",
                hint=HINT,
            )
        return decode(self._recording.answers[key], self._types)


class Recorder:
    """The real model, which is loaded once it is asked something; what it answers is noted."""

    def __init__(self, load: Callable[[], Any], types: tuple[type, ...], recording: Recording) -> None:
        self._load = load
        self._types = types
        self._recording = recording

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the model answers when it is called itself."""
        return self._note("__call__", self._load(), *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._load(), name)
        if callable(value):
            return partial(self._note, name, value)
        self._recording.values[name] = encode(value)
        return value

    def _note(self, method: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """The answer as it will be replayed, so that a test sees the same in both sessions.

        An input is answered once: a model that answers the same question in another way now and then fails its test
        here, and not only in the replay.
        """
        key = input_hash(method, args, kwargs)  # before the call, which may change its input
        if key not in self._recording.answers:
            self._recording.answers[key] = encode(function(*args, **kwargs))
        return decode(self._recording.answers[key], self._types)


class Recordings:
    """All recordings of a session: read once, written after each test that made new answers."""

    def __init__(self, identities: Identities, *, is_recording: bool) -> None:
        self._identities = identities
        self._is_recording = is_recording
        self._replayed: dict[Path, Replayed] = {}
        self._recorded: dict[Path, Recording] = {}
        self._n_written: dict[Path, int] = {}

    def open(
        self,
        declared: DeclaredModel,
        folder: Path,
        load: Callable[[], Any],
        *,
        name: str,
        types: tuple[type, ...],
    ) -> Recorder | Replayed:
        """What answers for the model in this session?  Fails the test where none does."""
        path = folder / FOLDER / f"{_file_name(name or declared.key)}.json"
        try:
            self._identities.meet(declared)
            if self._is_recording:
                return Recorder(load, types, self._begun(path, declared))
            return Replayed(path, self._known(declared), types)
        except DiagtoolsError as error:
            raise as_failure(error) from None

    def write(self) -> None:
        """What was answered since the last time is in the files."""
        for path, recording in self._recorded.items():
            n_noted = len(recording.answers) + len(recording.values)
            if n_noted > self._n_written.get(path, 0):
                add_to_recording(path, recording)
                self._n_written[path] = n_noted

    def _begun(self, path: Path, declared: DeclaredModel) -> Recording:
        """Without the file the model will not load either: that says so, and the test is skipped."""
        if path not in self._recorded:
            self._recorded[path] = Recording(identity=self._known(declared))
        return self._recorded[path]

    def _known(self, declared: DeclaredModel) -> RecordedIdentity:
        try:
            sha256 = self._identities.file_hash(declared)
        except FileNotFoundError:  # to replay, no model is needed
            sha256 = declared.sha256
        return RecordedIdentity(model=declared.key, version=declared.version, sha256=sha256)


def _file_name(text: str) -> str:
    """A name that stays in its folder."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.") or "model"


def folder_of(node: pytest.Item | pytest.Collector) -> Path:
    """Where does the test file lie?"""
    return node.path if node.path.is_dir() else node.path.parent
