"""The local store keeps secrets encrypted, whole, private, and refuses what it cannot trust."""

import base64
import json
import stat

import pytest
from cryptography.fernet import Fernet

from activities.adapters.stored_secrets import StoredSecrets
from infra.runtime.errors import ConfigurationError, StateError
from infra.runtime.secrets import (
    ExchangeKey,
    InstallationSecrets,
    installation_secrets,
    local_secrets,
)
from infra.runtime.secrets.local import LocalStore
from infra.runtime.settings import Settings
from models.trading.risk.limits import Mode


@pytest.fixture
def store(tmp_path):
    return local_secrets(tmp_path / "secrets").create()


def test_secrets_survive_a_new_store_object(tmp_path, store):
    key, token, codec = (
        store.simulated_key("company"),
        store.administrator_token(),
        (store.codec_keys()),
    )
    again = local_secrets(tmp_path / "secrets").create()
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
            local_secrets(tmp_path / "secrets").create()
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
    path = tmp_path / "secrets" / "secrets.encrypted"
    path.write_bytes(path.read_bytes().replace(b'"format": 2', b'"format": 99'))
    with pytest.raises(StateError, match="format 99"):
        store.administrator_token()


async def test_the_port_hands_out_the_mode_that_is_asked_for(store):
    simulated = store.simulated_key("company")
    port = StoredSecrets(store)
    found = await port.exchange_credentials("company", Mode.SIMULATED)
    assert found is not None
    assert (found.key, found.secret) == (simulated.key, simulated.secret)
    assert await port.exchange_credentials("company", Mode.LIVE) is None


def test_before_the_first_start_nothing_is_said_to_be_lost(tmp_path):
    for home in (tmp_path / "none", tmp_path):
        with pytest.raises(StateError, match="aether up"):
            local_secrets(home / "secrets").administrator_token()
    (tmp_path / "postgres").mkdir()
    with pytest.raises(StateError, match="backup"):
        local_secrets(tmp_path / "secrets").administrator_token()


def test_what_an_earlier_version_wrote_is_taken_over(tmp_path):
    directory = tmp_path / "secrets"
    directory.mkdir(mode=0o700)
    for name, content in (("key", Fernet.generate_key()), ("secrets.encrypted", b"")):
        (directory / name).write_bytes(content)
        (directory / name).chmod(0o600)
    key, secret = base64.b64encode(bytes(32)).decode(), "s" * 88
    old = {
        "format": 1,
        "exchange": {"company": {"live": {"key": "k", "secret": secret}}},
        "codec": {"new": key, "old": key},
        "administrator_token": "t",
    }
    sealed = Fernet((directory / "key").read_bytes()).encrypt(json.dumps(old).encode())
    (directory / "secrets.encrypted").write_bytes(sealed)
    store = local_secrets(directory).create()
    assert store.exchange_key("company", Mode.LIVE) == ExchangeKey("k", secret)
    assert store.exchange_key("company", Mode.SIMULATED) is None
    assert store.codec_keys() == {"new": bytes(32), "old": bytes(32)}
    assert list(store.codec_keys()) == ["new", "old"]
    assert store.administrator_token() == "t"
    assert not (directory / "secrets.encrypted").read_bytes().startswith(b"gAAAA")


@pytest.mark.parametrize("name", ["key", "secrets.encrypted"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_files_that_others_may_use_are_refused(tmp_path, store, name, mode):
    (tmp_path / "secrets" / name).chmod(mode)
    with pytest.raises(StateError, match=f"{name}.*chmod 600"):
        store.codec_keys()


def test_a_passphrase_takes_the_place_of_the_key_file(tmp_path):
    words = tmp_path / "passphrase"
    words.write_text("first\n")
    words.chmod(0o600)
    store = InstallationSecrets(LocalStore(tmp_path / "s", passphrase_file=words)).create()
    keys = store.codec_keys()
    assert not (tmp_path / "s" / "key").exists()
    again = InstallationSecrets(LocalStore(tmp_path / "s", passphrase_file=words))
    assert again.codec_keys() == keys
    words.write_text("second\n")
    with pytest.raises(StateError, match="do not belong together"):
        InstallationSecrets(LocalStore(tmp_path / "s", passphrase_file=words)).codec_keys()
    words.write_text("\n")
    with pytest.raises(StateError, match="no passphrase"):
        InstallationSecrets(LocalStore(tmp_path / "s", passphrase_file=words)).codec_keys()
    (tmp_path / "s" / "key").write_bytes(Fernet.generate_key())
    (tmp_path / "s" / "key").chmod(0o600)
    with pytest.raises(StateError, match="AETHER_SECRETS_PASSPHRASE_FILE"):
        InstallationSecrets(LocalStore(tmp_path / "s")).codec_keys()


def test_the_settings_name_the_store(tmp_path):
    assert installation_secrets(Settings(home=tmp_path)).store.kind == "local file"
    mounted = Settings(home=tmp_path, secrets="kubernetes", secrets_directory=tmp_path)
    assert installation_secrets(mounted).store.kind == "Kubernetes Secrets"
    for incomplete in (
        {"secrets": "kubernetes"},
        {"secrets": "vault"},
        {"secrets": "vault", "vault_address": "https://vault:8200"},
    ):
        with pytest.raises(ConfigurationError, match="AETHER_"):
            installation_secrets(Settings(home=tmp_path, **incomplete))
