"""The embedded Temporal server is found in order, checked, and always started tuned."""

import pytest
from temporalio.common import SearchAttributeKey

from infra.runtime import temporal_server
from infra.runtime.errors import ProvisioningError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from workflows import identities


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine without any Temporal program; ``program`` puts one somewhere."""
    monkeypatch.delenv("AETHER_TEMPORAL_CLI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def a_program(path, version="1.29.1"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'temporal version 1.5.1 (Server {version}, UI 2.42.1)'\n")
    path.chmod(0o755)
    return path


def test_places_are_searched_in_order(machine, monkeypatch):
    state, told = StateDirectory(machine / "home"), []
    cached = a_program(
        machine / "cache" / "aether" / f"temporal-{temporal_server.BUILD}" / "temporal"
    )
    assert temporal_server.find_or_provide(state, told.append) == cached
    own = a_program(state.binaries / "temporal")
    assert temporal_server.find_or_provide(state, told.append) == own
    on_path = a_program(machine / "path" / "temporal")
    assert temporal_server.find_or_provide(state, told.append) == on_path
    named = a_program(machine / "elsewhere" / "server")
    monkeypatch.setenv("AETHER_TEMPORAL_CLI", str(named))
    assert temporal_server.find_or_provide(state, told.append) == named
    assert told == []


def test_old_server_on_the_path_is_passed_over_aloud(machine):
    state, told = StateDirectory(machine / "home"), []
    a_program(machine / "path" / "temporal", "1.24.0")
    own = a_program(state.binaries / "temporal")
    assert temporal_server.find_or_provide(state, told.append) == own
    assert "older than" in told[0]


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
        ProvisioningError, match=r"download: .*; build with Go: Go is not installed"
    ):
        temporal_server.find_or_provide(StateDirectory(machine / "home"), print)


def test_server_is_started_tuned_on_loopback_and_durable(tmp_path):
    settings = Settings(home=tmp_path, port_base=21420)
    words = temporal_server.command_line(tmp_path / "t", settings, StateDirectory(tmp_path))
    line = " ".join(words)
    assert "--ip 127.0.0.1 --ui-ip 127.0.0.1 --port 21421 --ui-port 21422" in line
    assert "history.transferProcessorMaxPollRPS=5000" in line
    assert "matching.numTaskqueueReadPartitions=1" in line
    assert "system.enableActivityEagerExecution=true" in line
    assert "journal_mode=WAL" in line
    assert str(StateDirectory(tmp_path).temporal_database) in words


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
