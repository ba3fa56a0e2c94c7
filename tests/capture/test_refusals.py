"""What uv and pip say, word by word as they said it, as one reason and one sentence."""

from __future__ import annotations

import pytest

from diagtools.capture.refusals import Reason, refusal

UV = "Using Python 3.11.7 environment at: /env\nerror: No solution found when resolving dependencies\n  cause: "
UV_END = "we can conclude that your requirements are unsatisfiable."
PIP_BUILD = """  error: subprocess-exited-with-error

  × python setup.py egg_info did not run successfully.
  │ exit code: 1
  ╰─> [1 lines of output]
      no compiler here
      [end of output]

error: metadata-generation-failed
"""
PIP_DEAD = """WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<x>: \
Failed to establish a new connection: [Errno 111] Connection refused')': /simple/a/
ERROR: Could not find a version that satisfies the requirement a==1 (from versions: none)
ERROR: No matching distribution found for a==1
"""
UV_DEAD = """error: Request failed after 3 retries in 7.5s
  cause: Failed to fetch: http://ada:hunter2@127.0.0.1:9/index/a/
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""
UV_BUILD = (
    """error: Failed to download and build `a==5.0`
  cause: Failed to resolve requirements from `setup.py` build
  cause: Because setuptools was not found in the package registry and you require setuptools>=40.8.0, """
    + UV_END
)

UV_WHEEL = f"{UV}Because a==4 has no wheels with a matching Python tag (e.g., `cp311`) and you require a==4, {UV_END}"
UV_CONFLICT = f"{UV}Because b depends on a<2.\n         And because you require a==5, {UV_END}"


@pytest.mark.parametrize(
    ("said", "reason", "evidence"),
    [
        (
            f"{UV}Because there is no version of a==6 and you require a==6, {UV_END}",
            Reason.UNKNOWN,
            "there is no version of a==6.",
        ),
        (
            f"{UV}Because a==3 requires Python >=3.20 and you require a==3, {UV_END}",
            Reason.OTHER_PYTHON,
            "a==3 requires Python >=3.20.",
        ),
        (UV_WHEEL, Reason.NO_WHEEL, "a==4 has no wheels with a matching Python tag (e.g., `cp311`)."),
        (UV_CONFLICT, Reason.OTHER, "b depends on a<2. And because you require a==5."),
        (UV_BUILD, Reason.NOT_BUILT, "setuptools was not found in the package registry."),
        (UV_DEAD, Reason.UNREACHABLE, "Connection refused (os error 111)"),
        (PIP_DEAD, Reason.UNREACHABLE, "[Errno 111] Connection refused"),
        (PIP_BUILD, Reason.NOT_BUILT, "error: metadata-generation-failed"),
        (
            "ERROR: Package 'a' requires a different Python: 3.11.7 not in '>=3.20'\n",
            Reason.OTHER_PYTHON,
            "Package 'a' requires a different Python: 3.11.7 not in '>=3.20'",
        ),
        ("", Reason.OTHER, "it said nothing"),
    ],
)
def test_one_reason_and_one_sentence(said: str, reason: Reason, evidence: str) -> None:
    found = refusal(said)
    assert (found.reason, found.evidence) == (reason, evidence)


def test_a_password_of_an_index_is_not_said() -> None:
    said = refusal("error: x\n  cause: it lies at https://ada:hunter2@inner/index/ only\n").evidence
    assert "hunter2" not in said


def test_a_long_sentence_is_cut() -> None:
    assert len(refusal("error: " + "long " * 500).evidence) == 300
