"""Logs on a full disk: lines are lost, and nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

FULL = Path("/dev/full")
"""Linux's device on which every write fails for want of room."""
PATIENCE_SECONDS = 20.0

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")

SETTINGS = """
[supervisord]
logfile={log}
logfile_maxbytes=0
pidfile={run}/supervisord.pid
silent=true
{user}
[program:short-lived]
command=/bin/sh -c "echo a line; echo life >> {run}/lives; sleep 0.05"
startsecs=0
autorestart=true
stdout_logfile={log}
stdout_logfile_maxbytes=0
"""


def test_supervisor_goes_on_when_neither_its_log_nor_its_complaints_find_room(tmp_path):
    settings, lives = tmp_path / "supervisord.conf", tmp_path / "lives"
    user = "user=root" if os.geteuid() == 0 else ""
    settings.write_text(SETTINGS.format(log=FULL, run=tmp_path, user=user))
    with FULL.open("w") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.stack.programs.supervisord", "-n", "-c", str(settings)],
            stdout=full,
            stderr=full,
        )
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not lives.exists() or len(lives.read_text().splitlines()) < 4:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < until, "it starts nothing any more"
            time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
