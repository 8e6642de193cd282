"""A command that has used Temporal's client ends with its own status, whatever its threads do."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from temporalio.runtime import Runtime, TelemetryConfig
import cli.main

def main():
    Runtime(telemetry=TelemetryConfig())
    print("said before the end")
    sys.exit({status})

cli.main.main = main
cli.main.program()
"""


@pytest.mark.parametrize(("status", "seen"), [("0", 0), ("None", 0), ("2", 2)])
def test_status_and_words_are_kept(status: str, seen: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(status=status)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (seen, "said before the end\n"), done.stderr
