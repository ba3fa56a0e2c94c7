"""Output is passed on while it grows, and a reader that is slow or gone holds nothing up."""

from __future__ import annotations

import os
from pathlib import Path

from diagtools.capture.echo import Echo


def log(folder: Path, text: bytes, name: str = "stdout.log") -> None:
    with (folder / name).open("ab") as file:
        file.write(text)


def read_all(descriptor: int) -> bytes:
    """What is in a pipe at this moment."""
    os.set_blocking(descriptor, False)
    found = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except BlockingIOError:
            return found
        if not piece:
            return found
        found += piece


def test_a_full_disk_behind_us_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        echo = Echo(tmp_path, full.fileno(), None)
        log(tmp_path, b"one\n")
        assert echo.forward() == []
        (said,) = echo.not_passed_on()
        assert said == (
            "stdout was not passed on to its end (No space left on device): "
            f"it is whole in '{tmp_path / 'stdout.log'}'."
        )
        echo.close()


def test_a_reader_that_went_away_knows(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    echo = Echo(tmp_path, writing, None)
    log(tmp_path, b"one\n")
    assert echo.forward() == []
    assert [*echo.not_passed_on()] == []
    os.close(writing)
    echo.close()


def test_what_grows_is_copied_once(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        echo = Echo(tmp_path, out.fileno(), err.fileno())
        assert echo.forward() == []
        log(tmp_path, b"one\n")
        assert echo.forward() == []
        log(tmp_path, b"tw")
        log(tmp_path, b"oops\n", "stderr.log")
        echo.forward()
        log(tmp_path, b"o\n")
        echo.forward()
        echo.close()

    assert echo.n_copied == 13
    assert (tmp_path / "out").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "err").read_bytes() == b"oops\n"


def test_streams_that_nobody_wants_are_left_alone(tmp_path: Path) -> None:
    log(tmp_path, b"one\n")
    echo = Echo(tmp_path, None, None)

    assert echo.forward() == []
    echo.close()


def test_a_slow_reader_is_not_waited_for(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    text = b"".join(b"%09d\n" % number for number in range(100_000))
    log(tmp_path, text)
    echo = Echo(tmp_path, writing, None)

    got = b""
    waits = 0
    while echo.forward() == [writing]:
        waits += 1
        echo.wait_for_room(0)
        got += read_all(reading)
    got += read_all(reading)

    assert waits > 3
    assert got == text
    for descriptor in (reading, writing):
        os.close(descriptor)
    echo.close()


def test_one_call_is_bounded_and_the_other_stream_gets_its_turn(tmp_path: Path) -> None:
    """A target that floods one stream must hide neither signals nor the other stream."""
    log(tmp_path, b"x" * (10 << 20))
    log(tmp_path, b"oops\n", "stderr.log")
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        echo = Echo(tmp_path, out.fileno(), err.fileno())

        assert echo.forward() == [out.fileno()]
        assert (tmp_path / "out").stat().st_size < 10 << 20
        assert (tmp_path / "err").read_bytes() == b"oops\n"

        while echo.forward():
            pass
        assert (tmp_path / "out").stat().st_size == 10 << 20
        echo.close()


def test_a_reader_that_is_gone_ends_its_copy_only(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    log(tmp_path, b"one\n")
    log(tmp_path, b"oops\n", "stderr.log")
    with (tmp_path / "err").open("wb") as err:
        echo = Echo(tmp_path, writing, err.fileno())
        assert echo.forward() == []
        log(tmp_path, b"two\n")
        assert echo.forward() == []
        echo.close()

    assert (tmp_path / "err").read_bytes() == b"oops\n"
    os.close(writing)


def test_a_descriptor_that_is_closed_is_a_reader_that_is_gone(tmp_path: Path) -> None:
    log(tmp_path, b"one\n")
    echo = Echo(tmp_path, 999, None)

    assert echo.forward() == []
    echo.close()
