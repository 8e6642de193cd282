"""Payload keys rotate under running processes; what was encrypted before stays readable."""

import threading

import pytest

from infra.runtime.secrets import local_secrets
from infra.runtime.temporal.codec import EncryptionCodec, PayloadKeyError
from infra.runtime.temporal.key_ring import REFRESH_SECONDS, UNKNOWN_SECONDS, KeyRing, PayloadKey
from tests.infra.runtime.temporal.test_payload_codec import a_payload


class Process:
    """A process with a ring over the installation's store, and a clock that tests move."""

    def __init__(self, secrets):
        self.now, self.reads, self.read = 0.0, 0, threading.Event()
        self._secrets = secrets
        self.ring = KeyRing(self._stored(), self._again, lambda: self.now)
        self.codec = EncryptionCodec(self.ring)

    def _stored(self):
        return [PayloadKey(*item) for item in self._secrets.codec_keys().items()]

    def _again(self):
        self.reads += 1
        try:
            return self._stored()
        finally:
            self.read.set()


@pytest.fixture
def secrets(tmp_path):
    return local_secrets(tmp_path / "secrets").create()


async def test_a_rotated_key_is_found_by_need_and_taken_up_by_time(secrets):
    one, other = Process(secrets), Process(secrets)
    payload = a_payload()
    (old,) = await one.codec.encode([payload])
    new_id = secrets.rotate_payload_key()
    one.now = REFRESH_SECONDS
    await one.codec.encode([payload])
    assert one.read.wait(10)
    for _ in range(1000):
        (fresh,) = await one.codec.encode([payload])
        if fresh.metadata["encryption-key-id"] == new_id.encode():
            break
        threading.Event().wait(0.01)
    assert fresh.metadata["encryption-key-id"] == new_id.encode()
    other.now = UNKNOWN_SECONDS
    for process in (one, other, Process(secrets)):
        for sealed in (old, fresh):
            assert process.codec.open(sealed).data == payload.data


async def test_a_name_that_nobody_knows_does_not_have_the_store_asked_again_and_again(secrets):
    process = Process(secrets)
    (sealed,) = await EncryptionCodec([PayloadKey("unknown", bytes(32))]).encode([a_payload()])
    process.now = UNKNOWN_SECONDS
    for _ in range(5):
        with pytest.raises(PayloadKeyError, match="not known"):
            process.codec.open(sealed)
    assert process.reads == 1


async def test_a_store_out_of_reach_leaves_the_keys_that_are_known(secrets, tmp_path):
    process = Process(secrets)
    (sealed,) = await process.codec.encode([a_payload()])
    (tmp_path / "secrets" / "key").unlink()
    process.now = REFRESH_SECONDS
    await process.codec.encode([a_payload()])
    assert process.read.wait(10)
    assert process.codec.open(sealed).data == a_payload().data


async def test_a_forgotten_key_opens_nothing(secrets):
    process = Process(secrets)
    (sealed,) = await process.codec.encode([a_payload()])
    (old,) = secrets.codec_keys()
    secrets.rotate_payload_key()
    secrets.forget_payload_key(old)
    with pytest.raises(PayloadKeyError, match="not known"):
        Process(secrets).codec.open(sealed)
