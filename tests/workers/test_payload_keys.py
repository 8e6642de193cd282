"""Every process encrypts with the newest key of the store and still reads the older ones."""

import pytest

import api.__main__ as api_process
from infra.runtime.secrets import InstallationSecrets
from infra.runtime.settings import Settings
from workers import connection


@pytest.mark.parametrize("payload_keys", [connection.payload_keys, api_process.payload_keys])
def test_payload_keys_keep_the_stores_order_newest_first(monkeypatch, tmp_path, payload_keys):
    stored = {"newest": bytes(32), "older": bytes(range(32))}
    monkeypatch.setattr(InstallationSecrets, "codec_keys", lambda _: stored)
    keys = payload_keys(Settings(home=tmp_path))
    assert [(key.key_id, key.secret) for key in keys] == list(stored.items())
