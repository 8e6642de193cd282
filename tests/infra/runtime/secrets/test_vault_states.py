"""What a real OpenBao can be in is told apart: sealed, unreachable, expired, denied."""

import hashlib
import os

import hvac
import pytest

from infra.runtime.errors import ConfigurationError
from infra.runtime.secrets.store import (
    NEW,
    SecretsDamagedError,
    SecretsExpiredError,
    SecretsMissingError,
    SecretsSealedError,
    SecretsState,
    SecretsUnreachableError,
)
from infra.runtime.secrets.vault import VaultPlace, VaultStore


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def place_of(server, **changes):
    figures = {
        "path": f"aether/{os.urandom(6).hex()}",
        "role_id_file": server.role_id_file,
        "secret_id_file": server.secret_id_file,
    }
    return VaultPlace(server.address, **{**figures, **changes})


@pytest.fixture(autouse=True)
def usual_role(openbao):
    yield
    openbao.role()


def test_sealed_is_told_and_ends_with_unsealing(openbao):
    store = VaultStore(place_of(openbao))
    store.write("a", {"x": "1"}, NEW)
    openbao.root.sys.seal()
    try:
        for fresh in (store, VaultStore(place_of(openbao))):
            with pytest.raises(SecretsSealedError) as told:
                fresh.read("a")
            assert told.value.state is SecretsState.SEALED
    finally:
        openbao.unseal()
    assert store.read("a").content == {"x": "1"}


def test_a_server_that_is_gone_is_unreachable_and_its_raft_storage_comes_back(openbao):
    store = VaultStore(place_of(openbao))
    store.write("a", {"x": "1"}, NEW)
    openbao.stop()
    try:
        with pytest.raises(SecretsUnreachableError):
            store.read("a")
    finally:
        openbao.start()
    with pytest.raises(SecretsSealedError):
        store.read("a")
    openbao.unseal()
    assert store.read("a").content == {"x": "1"}


def test_a_lease_is_renewed_at_half_its_life_and_entered_anew_at_its_end(openbao):
    clock = Clock()
    openbao.role(token_ttl="100s", token_max_ttl="400s")
    store = VaultStore(place_of(openbao), clock)
    store.write("a", {"x": "1"}, NEW)
    first = store._client.token
    clock.now = 49
    store.read("a")
    before = openbao.root.auth.token.lookup(first)["data"].get("last_renewal")
    clock.now = 51
    store.read("a")
    assert before is None
    assert openbao.root.auth.token.lookup(first)["data"]["last_renewal"]
    assert store._client.token == first
    clock.now = 152
    assert store.read("a").content == {"x": "1"}
    assert store._client.token != first


def test_a_token_that_was_revoked_is_replaced_without_a_word(openbao):
    store = VaultStore(place_of(openbao))
    store.write("a", {"x": "1"}, NEW)
    openbao.root.auth.token.revoke(store._client.token)
    assert store.read("a").content == {"x": "1"}


def test_a_secret_id_that_is_used_up_or_wrong_is_expired(openbao):
    openbao.role(secret_id_num_uses=1)
    store = VaultStore(place_of(openbao))
    store.check()
    openbao.root.auth.token.revoke(store._client.token)
    with pytest.raises(SecretsExpiredError) as told:
        store.read("a")
    assert openbao.secret_id_file.read_text() not in str(told.value)
    with pytest.raises(SecretsExpiredError):
        VaultStore(place_of(openbao, secret_id_file=openbao.directory / "nowhere")).check()


def test_what_the_policy_does_not_give_is_expired_and_a_missing_engine_is_missing(openbao):
    with pytest.raises(SecretsExpiredError, match="policy"):
        VaultStore(place_of(openbao, path="elsewhere")).read("a")
    policy = 'path "*" { capabilities = ["read", "list", "create", "update"] }'
    openbao.root.sys.create_or_update_policy("all", policy)
    openbao.root.auth.approle.create_or_update_approle("aether", token_policies=["all"])
    nowhere = VaultStore(place_of(openbao, mount="nowhere"))
    for ask in (
        lambda: nowhere.read("a"),
        nowhere.names,
        nowhere.check,
        lambda: nowhere.write("a", {"x": "1"}, NEW),
    ):
        with pytest.raises(SecretsMissingError, match="nowhere"):
            ask()


def test_plain_http_to_another_machine_is_refused():
    with pytest.raises(ConfigurationError, match="https"):
        VaultStore(VaultPlace("http://vault.example:8200"))


def test_nobody_there_is_unreachable(openbao):
    place = VaultPlace(
        f"http://127.0.0.1:{openbao.port + 2}",
        role_id_file=openbao.role_id_file,
        secret_id_file=openbao.secret_id_file,
    )
    with pytest.raises(SecretsUnreachableError):
        VaultStore(place).check()


def test_transit_keeps_values_from_whoever_reads_the_kv_engine_and_from_other_names(openbao):
    place = place_of(openbao, transit_key="aether")
    store = VaultStore(place)
    store.write("a", {"x": "mark"}, NEW)
    engine = openbao.root.secrets.kv.v2
    raw = engine.read_secret_version(f"{place.path}/a", raise_on_deleted_version=True)
    assert set(raw["data"]["data"]) == {"transit"}
    assert "mark" not in str(raw)
    openbao.root.secrets.transit.rotate_key("aether")
    assert store.read("a").content == {"x": "mark"}
    engine.create_or_update_secret(f"{place.path}/b", raw["data"]["data"])
    with pytest.raises(SecretsDamagedError):
        store.read("b")
    with pytest.raises(SecretsDamagedError, match="AETHER_VAULT_TRANSIT_KEY"):
        VaultStore(place_of(openbao, path=place.path)).read("a")


def test_no_earlier_version_of_a_secret_is_kept(openbao):
    place = place_of(openbao)
    store = VaultStore(place)
    first = store.write("a", {"x": "old"}, NEW)
    store.write("a", {"x": "new"}, first)
    with pytest.raises(hvac.exceptions.InvalidPath):
        openbao.root.secrets.kv.v2.read_secret_version(
            f"{place.path}/a", version=1, raise_on_deleted_version=True
        )


def test_the_environment_of_the_process_gives_no_token(openbao, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", openbao.root.token)
    store = VaultStore(place_of(openbao))
    store.check()
    digest = hashlib.sha256(store._client.token.encode()).digest()
    assert digest != hashlib.sha256(openbao.root.token.encode()).digest()
