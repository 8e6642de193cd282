"""The embedded Temporal server is found in order, checked, and always started tuned."""

import pytest
from temporalio.common import SearchAttributeKey

from infra.runtime.errors import ProvisioningError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack import temporal_server
from workflows import identities


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine without any Temporal program; ``program`` puts one somewhere."""
    monkeypatch.delenv("AETHER_TEMPORAL_CLI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def a_program(path, version="1.29.1", name="temporal"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{name} version 1 (Server {version}, UI 2.42.1)'\n")
    path.chmod(0o755)
    return path


def our_program(path):
    return a_program(path, name="aether-temporal")


def test_our_program_comes_before_those_that_let_everybody_in(machine, monkeypatch):
    state, told = StateDirectory(machine / "home"), []
    a_program(machine / "path" / "temporal")
    a_program(state.binaries / "temporal")
    build = f"server-{temporal_server.BUILD}"
    cached = our_program(machine / "cache" / "aether" / build / "aether-temporal")
    assert temporal_server.find_or_provide(state, told.append) == cached
    own = our_program(state.binaries / "aether-temporal")
    assert temporal_server.find_or_provide(state, told.append) == own
    assert temporal_server.asks_for_credentials(own)
    assert told == []
    named = a_program(machine / "elsewhere" / "server")
    monkeypatch.setenv("AETHER_TEMPORAL_CLI", str(named))
    assert temporal_server.find_or_provide(state, told.append) == named
    assert not temporal_server.asks_for_credentials(named)


def test_official_programs_are_searched_in_order_and_named_as_degraded(machine):
    state, told = StateDirectory(machine / "home"), []
    cached = a_program(machine / "cache" / "aether" / "temporal-1.5.1-2" / "temporal")
    assert temporal_server.find_or_provide(state, told.append) == cached
    own = a_program(state.binaries / "temporal")
    assert temporal_server.find_or_provide(state, told.append) == own
    on_path = a_program(machine / "path" / "temporal")
    assert temporal_server.find_or_provide(state, told.append) == on_path
    assert all("asks nobody for credentials" in words for words in told)
    assert len(told) == 3


def test_old_server_on_the_path_is_passed_over_aloud(machine):
    state, told = StateDirectory(machine / "home"), []
    a_program(machine / "path" / "temporal", "1.24.0")
    own = a_program(state.binaries / "temporal")
    assert temporal_server.find_or_provide(state, told.append) == own
    assert "older than" in told[-1]


def test_named_server_that_is_too_old_is_an_error(machine, monkeypatch):
    old = a_program(machine / "old", "1.20.3")
    monkeypatch.setenv("AETHER_TEMPORAL_CLI", str(old))
    with pytest.raises(ProvisioningError, match=r"1\.20\.3"):
        temporal_server.find_or_provide(StateDirectory(machine / "home"), print)


def test_no_server_anywhere_says_what_was_tried(machine, monkeypatch):
    monkeypatch.setattr(temporal_server, "DOWNLOAD_HOST", "host.invalid")
    monkeypatch.setattr(
        temporal_server.socket, "create_connection", lambda *_, **__: _refuse_connection()
    )
    with pytest.raises(
        ProvisioningError, match=r"build with Go: Go is not installed; .*download: "
    ):
        temporal_server.find_or_provide(StateDirectory(machine / "home"), print)


def test_server_is_started_tuned_on_loopback_and_durable(tmp_path):
    settings = Settings(home=tmp_path, port_base=21420)
    state = StateDirectory(tmp_path)
    official = temporal_server.official_command_line(tmp_path / "t", settings, state)
    own = temporal_server.command_line(tmp_path / "t", settings, state)
    for words in (official, own):
        line = " ".join(words)
        assert "--port 21421 --ui-port 21422" in line
        assert "history.transferProcessorMaxPollRPS=5000" in line
        assert "matching.numTaskqueueReadPartitions=1" in line
        assert "system.enableActivityEagerExecution=true" in line
        assert str(state.temporal_database) in words
    assert "--ip 127.0.0.1 --ui-ip 127.0.0.1" in " ".join(official)
    assert "journal_mode=WAL" in official
    assert "--credentials" in own
    assert "--http-port" not in own


def test_server_registers_the_search_attributes_that_workflows_set():
    kinds = {str: "Keyword", bool: "Bool"}
    used = {
        key.name: kinds.get(key.value_type, "Datetime")
        for key in vars(identities).values()
        if isinstance(key, SearchAttributeKey)
    }
    assert used
    assert used == temporal_server.SEARCH_ATTRIBUTES


def _refuse_connection():
    raise OSError("no network")
