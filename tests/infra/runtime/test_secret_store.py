"""The local store keeps secrets encrypted, whole, private, and refuses what it cannot trust."""

import json
import stat

import pytest
from cryptography.fernet import Fernet

from activities.adapters.local_secrets import LocalSecrets
from infra.runtime.errors import StateError
from infra.runtime.secrets import ExchangeKey, LocalSecretStore
from models.trading.risk.limits import Mode


@pytest.fixture
def store(tmp_path):
    return LocalSecretStore.create(tmp_path / "secrets")


def test_secrets_survive_a_new_store_object(tmp_path, store):
    key, token, codec = (
        store.simulated_key("company"),
        store.administrator_token(),
        (store.codec_keys()),
    )
    again = LocalSecretStore.create(tmp_path / "secrets")
    assert again.simulated_key("company") == key
    assert again.administrator_token() == token
    assert again.codec_keys() == codec
    assert [len(secret) for secret in codec.values()] == [32]


def test_nothing_readable_reaches_the_disk_or_a_repr(tmp_path, store):
    key = store.simulated_key("company")
    content = b"".join(p.read_bytes() for p in (tmp_path / "secrets").iterdir())
    for secret in (key.secret, key.key, store.administrator_token()):
        assert secret.encode() not in content
    assert key.secret not in repr(key)
    assert key.key not in repr(key)


def test_files_are_private_to_their_owner(tmp_path, store):
    store.simulated_key("company")
    for path in [tmp_path / "secrets", *(tmp_path / "secrets").iterdir()]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_accounts_get_different_keys_per_mode(store):
    keys = {store.simulated_key(name).key for name in ("company", "director-1", "director-2")}
    assert len(keys) == 3
    assert store.exchange_key("company", Mode.LIVE) is None


def test_one_key_on_two_accounts_is_refused(store):
    store.put_exchange_key("company", Mode.LIVE, ExchangeKey("k", "s"))
    with pytest.raises(ValueError, match="another account"):
        store.put_exchange_key("director-1", Mode.LIVE, ExchangeKey("k", "other"))
    assert store.exchange_key("director-1", Mode.LIVE) is None


@pytest.mark.parametrize("lost", ["key", "secrets.encrypted"])
def test_a_lost_half_is_named_with_a_way_out_and_never_replaced(tmp_path, store, lost):
    path = tmp_path / "secrets" / lost
    path.unlink()
    with pytest.raises(StateError, match=rf"{lost}.*aether admin reset"):
        store.administrator_token()
    if lost == "key":
        with pytest.raises(StateError, match="backup"):
            LocalSecretStore.create(tmp_path / "secrets")
        assert not path.exists()


def test_a_foreign_key_file_is_refused(tmp_path, store):
    (tmp_path / "secrets" / "key").write_bytes(Fernet.generate_key())
    with pytest.raises(StateError, match="do not belong together"):
        store.codec_keys()


def test_altered_data_is_refused(tmp_path, store):
    path = tmp_path / "secrets" / "secrets.encrypted"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(StateError, match="cannot be decrypted"):
        store.codec_keys()


def test_a_newer_format_is_refused(tmp_path, store):
    cipher = Fernet((tmp_path / "secrets" / "key").read_bytes())
    newer = cipher.encrypt(json.dumps({"format": 99}).encode())
    (tmp_path / "secrets" / "secrets.encrypted").write_bytes(newer)
    with pytest.raises(StateError, match="format 99"):
        store.administrator_token()


async def test_the_port_hands_out_the_mode_that_is_asked_for(store):
    simulated = store.simulated_key("company")
    port = LocalSecrets(store)
    found = await port.exchange_credentials("company", Mode.SIMULATED)
    assert found is not None
    assert (found.key, found.secret) == (simulated.key, simulated.secret)
    assert await port.exchange_credentials("company", Mode.LIVE) is None


def test_before_the_first_start_nothing_is_said_to_be_lost(tmp_path):
    for home in (tmp_path / "none", tmp_path):
        with pytest.raises(StateError, match="aether up"):
            LocalSecretStore(home / "secrets").administrator_token()
    (tmp_path / "postgres").mkdir()
    with pytest.raises(StateError, match="backup"):
        LocalSecretStore(tmp_path / "secrets").administrator_token()
