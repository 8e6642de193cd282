"""A state directory that cannot be used says so, says the way out, and loses nothing."""

import json
import shutil
import socket
from datetime import UTC, datetime

import pytest

from cli.commands.platform import admin
from infra.runtime.errors import ConfigurationError, PortInUseError, StateError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import FORMAT, Manifest, StateDirectory
from infra.stack import machine, ports
from infra.stack.embedded import Stack
from infra.stack.machine import place_of
from tests.support.free_ports import free_block

PORT_BASE = free_block()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("MARKET", "SPEED", "AETHER_PORT_BASE", "AETHER_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def state(tmp_path):
    directory = StateDirectory(tmp_path / "home")
    directory.create()
    return directory


def a_manifest(**changes):
    values = {
        "market": "generated",
        "speed": "90",
        "port_base": PORT_BASE,
        "postgres_major": 18,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Manifest(**(values | changes))


def settings_of(state, **changes):
    return Settings(home=state.home, **changes)


def test_manifest_is_read_as_written(state):
    assert state.manifest() is None
    state.save_manifest(a_manifest())
    assert state.manifest() == a_manifest()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "null"])
def test_damaged_manifest_names_itself_and_the_way_out(state, content):
    state.manifest_file.write_text(content)
    with pytest.raises(StateError, match=r"installation\.json is damaged.*admin reset"):
        state.manifest()
    assert state.manifest_file.read_text() == content


def test_newer_format_is_refused(state):
    state.manifest_file.write_text(json.dumps({"format": FORMAT + 1, "unknown": True}))
    with pytest.raises(StateError, match="newer version of Aether"):
        state.manifest()


def test_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "home").write_text("not a directory")
    with pytest.raises(StateError, match="AETHER_HOME"):
        StateDirectory(tmp_path / "home").create()


def test_long_home_gets_a_short_socket_directory(tmp_path):
    deep = StateDirectory(tmp_path / ("long-" * 30))
    assert len(str(deep.sockets / "supervisor.sock.4194304")) < 104
    assert deep.sockets != StateDirectory(tmp_path / ("longer" * 30)).sockets


def test_setting_aside_keeps_everything(state):
    state.save_manifest(a_manifest())
    target = state.move_aside()
    assert not state.home.exists()
    assert StateDirectory(target).manifest() == a_manifest()


def test_what_is_not_said_is_as_at_the_last_run(state):
    state.save_manifest(a_manifest(market="kraken"))
    settings = Stack(settings_of(state)).settings
    assert (settings.market, settings.market_speed, settings.port_base) == (
        "kraken",
        "90",
        PORT_BASE,
    )


def test_another_market_than_the_accounts_belong_to_is_refused(state):
    state.save_manifest(a_manifest())
    stack = Stack(Settings(home=state.home, MARKET="kraken", port_base=PORT_BASE))
    with pytest.raises(StateError, match="belongs to the market generated, not kraken"):
        stack.start(lambda line: None)


def test_replay_file_that_is_not_there_is_refused(state):
    stack = Stack(Settings(home=state.home, MARKET="replay:nowhere.json", port_base=PORT_BASE))
    with pytest.raises(ConfigurationError, match=r"nowhere\.json"):
        stack.start(lambda line: None)
    assert state.manifest() is None


def test_port_in_use_is_named_with_its_use(state):
    settings = settings_of(state, port_base=PORT_BASE)
    ports.require_free(settings)
    with socket.create_server(("127.0.0.1", settings.temporal_ui_port)):
        expected = f"port {settings.temporal_ui_port}, needed for Temporal's web UI, is in use"
        with pytest.raises(PortInUseError, match=expected):
            ports.require_free(settings)


def test_unfinished_database_directory_is_refused_and_kept(state):
    stack = Stack(settings_of(state, port_base=PORT_BASE))
    half = state.postgres / "data" / "base"
    half.mkdir(parents=True)
    with pytest.raises(Exception, match="unfinished or foreign"):
        stack.start(lambda line: None)
    assert half.exists()


def test_a_copy_is_refused_and_says_how_to_adopt_it(state, tmp_path, monkeypatch):
    state.save_manifest(a_manifest(place=place_of(state.home)))
    copy = StateDirectory(tmp_path / "copy")
    shutil.copytree(state.home, copy.home)
    with pytest.raises(StateError, match=r"copied or moved.*aether admin adopt"):
        Stack(settings_of(copy)).start(print)
    assert not copy.secrets.exists()
    monkeypatch.setenv("AETHER_HOME", str(copy.home))
    with pytest.raises(ConfigurationError, match="never run again"):
        admin.adopt(yes=False)
    admin.adopt(yes=True)
    assert copy.manifest() == a_manifest(place=place_of(copy.home))
    Stack(settings_of(copy))._check_place()
    Stack(settings_of(state))._check_place()


def test_the_same_directory_on_another_machine_is_a_copy(state, tmp_path, monkeypatch):
    state.save_manifest(a_manifest(place=place_of(state.home)))
    other = tmp_path / "machine-id"
    other.write_text("another")
    monkeypatch.setattr(machine, "MACHINE_ID_FILES", (other,))
    with pytest.raises(StateError, match="copied or moved"):
        Stack(settings_of(state)).start(print)


def test_what_an_older_version_has_made_belongs_where_it_is(state):
    state.save_manifest(a_manifest())
    Stack(settings_of(state))._check_place()
    assert Stack(settings_of(state))._manifest(state.manifest()).place == place_of(state.home)
