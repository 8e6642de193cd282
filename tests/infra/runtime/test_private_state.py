"""Nobody else on the machine reads the state, and no process knows the shell's other secrets."""

import json
import os
import stat
import subprocess
import sys

import pytest

from infra.runtime.files import write_atomically
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack.embedded import Stack
from infra.stack.programs.early_start import NOTE, EarlyStart
from infra.stack.programs.environment import inherited
from infra.stack.programs.supervision import Program, render_settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def modes(home):
    return {path: path.lstat().st_mode & OTHERS for path in (home, *home.rglob("*"))}


def test_what_was_left_readable_is_closed_at_the_next_start(tmp_path):
    state = StateDirectory(tmp_path / "home")
    previous = os.umask(0o022)
    try:
        state.create()
        for path in (state.temporal_database, state.logs / "api.log", state.run / "a.output"):
            path.write_text("told")
            path.chmod(0o644)
        state.logs.chmod(0o755)
        (state.home / "installation.json").write_text("{}")
        state.create()
    finally:
        os.umask(previous)
    # Root's PostgreSQL runs as another user, who passes through the home and lists nothing.
    passing = {state.home: stat.S_IXGRP | stat.S_IXOTH} if os.geteuid() == 0 else {}
    open_to_others = {
        path: mode for path, mode in modes(state.home).items() if mode & ~passing.get(path, 0)
    }
    assert open_to_others == {}


def test_files_of_state_are_private_unless_asked_otherwise(tmp_path):
    write_atomically(tmp_path / "state", b"told")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600


def test_a_process_inherits_what_it_needs_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_CLOUD_SECRET", "told")
    monkeypatch.setenv("PGPASSWORD", "told")
    monkeypatch.setenv("AETHER_TOKEN", "told")
    monkeypatch.setenv("PGPASSFILE", "/somewhere")
    monkeypatch.setenv("AETHER_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = Stack(Settings(home=tmp_path)).environment()
    assert "told" not in environment.values()
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["AETHER_LOG_LEVEL"] == "DEBUG"
    assert environment["PGPASSFILE"] == "/somewhere"
    assert environment["AETHER_HOME"] == str(tmp_path)
    assert inherited({"LC_ALL": "C", "OTHER": "x"}) == {"LC_ALL": "C"}


@pytest.mark.skipif(sys.platform != "linux", reason="programs are forked on Linux only")
def test_what_is_started_early_inherits_no_secret_either(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_CLOUD_SECRET", "told")
    run = tmp_path / "run"
    run.mkdir()
    said = tmp_path / "said"
    words = f"import json, os; open({str(said)!r}, 'w').write(json.dumps(dict(os.environ)))"
    command = [sys.executable, "-c", words]
    note = {"options": Program("sayer", command, priority=1).holding(run), "command": command}
    (run / NOTE).write_text(json.dumps(note | {"environment": {"SAID": "early"}}))
    early = EarlyStart()
    early.begin(["up"], {"AETHER_HOME": str(tmp_path)})
    os.waitpid(early.pid, 0)
    environment = json.loads(said.read_text())
    assert environment["SAID"] == "early"
    assert "SOME_CLOUD_SECRET" not in environment


def test_supervisor_and_command_line_create_private_files(tmp_path):
    assert "umask=077" in render_settings([], tmp_path / "s", tmp_path, tmp_path)
    started = (
        "import os, cli.main; from cli import entry\n"
        "cli.main.program = lambda: print('umask', oct(os.umask(0)))\n"
        "entry.program()"
    )
    done = subprocess.run(
        [sys.executable, "-c", started], capture_output=True, text=True, check=True, umask=0o022
    )
    assert "umask 0o77" in done.stdout
