"""What a person can mend ends in one line and exit code 2; state is never lost by a command."""

import os
import subprocess
import sys

import pytest

from infra.runtime.secrets import local_secrets


@pytest.fixture
def aether(tmp_path):
    def call(*words, **environment):
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AETHER_")}
        inherited |= {"AETHER_HOME": str(tmp_path / "home"), "MARKET": "", "SPEED": ""}
        return subprocess.run(
            [sys.executable, "-m", "cli.entry", *words],
            env=inherited | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["status"], {}, "the stack is not running: aether up"),
        (["up"], {"SPEED": "fast"}, "SPEED is a number above zero, or lockstep"),
        (["up"], {"MARKET": "replay:/nowhere.parquet"}, "there is no file /nowhere.parquet"),
        (["up"], {"MARKET": "elsewhere"}, "MARKET is generated, replay:PATH[,PATH…] or kraken"),
        (["up"], {"AETHER_PORT_BASE": "80"}, "AETHER_PORT_BASE"),
        (["up", "--without", "nobody"], {"AETHER_TEMPORAL_CLI": "/nowhere"}, "/nowhere"),
        (["logs", "nobody"], {}, "there is no log of 'nobody'"),
        (["admin", "reset"], {}, "there is no state"),
        (["process", "stop", "api"], {}, "the stack is not running"),
    ],
)
def test_mistake_is_one_line_and_exit_code_2(aether, words, environment, said):
    done = aether(*words, **environment)
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert said in last
    assert "Traceback" not in done.stderr


def test_unknown_command_is_refused(aether):
    done = aether("nonsense")
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_down_of_nothing_is_no_error(aether):
    assert aether("down").returncode == 0


def test_reset_says_what_it_would_do_and_then_sets_aside(aether, tmp_path):
    store = local_secrets(tmp_path / "home" / "secrets").create()
    token = store.administrator_token()
    asked = aether("admin", "reset")
    assert asked.returncode == 2
    assert "aether admin reset --yes" in asked.stderr
    assert store.administrator_token() == token
    assert aether("admin", "reset", "--yes").returncode == 0
    aside = next(tmp_path.glob("home-set-aside-*"))
    assert local_secrets(aside / "secrets").administrator_token() == token
