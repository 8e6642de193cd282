"""Credentials for Temporal: made once, private, whole, and never done without by accident."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from infra.runtime.certificates import Authority
from infra.runtime.errors import StateError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.telemetry import degraded_modes
from infra.runtime.temporal.access import (
    FILES,
    LIFETIME,
    certificate_ends,
    client_tls,
    credentials_directory,
    ensure_credentials,
    note_open,
    open_access,
    rotate_credentials,
    ui_password,
)


@pytest.fixture
def state(tmp_path):
    made = StateDirectory(tmp_path)
    made.create()
    return made


@pytest.fixture
def directory(state):
    return credentials_directory(state)


def test_credentials_are_private_and_made_once(directory):
    ensure_credentials(directory)
    first = {name: (directory / name).read_bytes() for name in FILES}
    assert sorted(first) == sorted(path.name for path in directory.iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    ensure_credentials(directory)
    assert first == {name: (directory / name).read_bytes() for name in FILES}


def test_rotation_changes_every_file(directory):
    ensure_credentials(directory)
    first = {name: (directory / name).read_bytes() for name in FILES}
    rotate_credentials(directory)
    assert all((directory / name).read_bytes() != content for name, content in first.items())
    assert len(ui_password(directory)) >= 32


def test_incomplete_credentials_are_named_and_not_replaced(directory):
    ensure_credentials(directory)
    (directory / "client.key").unlink()
    with pytest.raises(StateError, match=r"client\.key.*rotate-temporal"):
        ensure_credentials(directory)


def test_client_without_its_credentials_does_not_go_without(state):
    with pytest.raises(StateError, match="cannot be read"):
        client_tls(Settings(home=state.home))


def test_open_server_is_named_and_spoken_to_without(state):
    settings = Settings(home=state.home)
    note_open(state, is_open=True)
    assert client_tls(settings) is None
    assert any(
        "asks for no credentials" in form for form in degraded_modes(settings, hypertables=True)
    )
    note_open(state, is_open=False)
    assert open_access(settings) == ""
    assert not any("credentials" in form for form in degraded_modes(settings, hypertables=True))


def test_external_server_without_credentials_is_named(state, directory):
    ensure_credentials(directory)
    elsewhere = Settings(home=state.home, temporal_address="temporal.example:7233")
    assert "AETHER_TEMPORAL_CREDENTIALS" in open_access(elsewhere)
    assert client_tls(elsewhere) is None
    guarded = elsewhere.model_copy(update={"temporal_credentials": directory})
    assert open_access(guarded) == ""
    assert client_tls(guarded).client_cert == (directory / "client.pem").read_bytes()


def test_embedded_server_is_shown_its_own_credentials_whatever_is_set_for_another(state, directory):
    ensure_credentials(directory)
    settings = Settings(home=state.home, temporal_credentials=state.home / "elsewhere")
    assert client_tls(settings).client_cert == (directory / "client.pem").read_bytes()


def test_ends_of_certificates_are_told_and_of_one_that_cannot_be_read_that_it_is_unknown(
    state, directory
):
    settings = Settings(home=state.home)
    assert set(certificate_ends(settings).values()) == {None}  # needed, and not there
    ensure_credentials(directory)
    ends = certificate_ends(settings)
    wanted = datetime.now(UTC) + LIFETIME
    assert set(ends) == {"authority", "client", "server"}
    assert all(abs(end - wanted) < timedelta(minutes=1) for end in ends.values())
    (directory / "client.pem").write_bytes(b"no certificate")
    assert certificate_ends(settings) == ends | {"client": None}


def test_ends_are_those_of_the_server_that_is_used(state, directory, tmp_path):
    ensure_credentials(directory)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    authority = Authority("somebody else's", timedelta(days=3))
    (foreign / "authority.pem").write_bytes(authority.certificate)
    (foreign / "client.pem").write_bytes(authority.client("ours")[0])
    settings = Settings(
        home=state.home, temporal_address="127.0.0.1:1", temporal_credentials=foreign
    )
    left = {n: end - datetime.now(UTC) for n, end in certificate_ends(settings).items()}
    assert {name: round(one / timedelta(days=1)) for name, one in left.items()} == {
        "authority": 3,
        "client": 3,
    }
    open_one = Settings(home=state.home, temporal_address="127.0.0.1:1")
    assert certificate_ends(open_one) == {}
    note_open(state, is_open=True)
    assert certificate_ends(Settings(home=state.home)) == {}
