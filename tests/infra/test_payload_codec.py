import os

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError

from infra.runtime.codec import EncryptionCodec, PayloadKey, PayloadKeyError
from infra.runtime.temporal_client import data_converter


def a_key(name: str) -> PayloadKey:
    return PayloadKey(name, os.urandom(32))


def a_payload() -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=b'{"quantity":"0.01"}')


async def test_payload_survives_and_is_unreadable_on_the_way() -> None:
    codec = EncryptionCodec([a_key("one")])
    (sealed,) = await codec.encode([a_payload()])
    assert b"quantity" not in sealed.SerializeToString()
    assert sealed.metadata["encryption-key-id"] == b"one"
    assert await codec.decode([sealed]) == [a_payload()]


async def test_rotated_codec_writes_with_the_new_key_and_reads_the_old() -> None:
    old, new = a_key("old"), a_key("new")
    (sealed,) = await EncryptionCodec([old]).encode([a_payload()])
    rotated = EncryptionCodec([new, old])
    assert await rotated.decode([sealed]) == [a_payload()]
    (again,) = await rotated.encode([a_payload()])
    assert again.metadata["encryption-key-id"] == b"new"


async def test_unknown_key_and_altered_payload_are_refused() -> None:
    codec = EncryptionCodec([a_key("one")])
    (sealed,) = await codec.encode([a_payload()])
    with pytest.raises(PayloadKeyError, match="not known"):
        await EncryptionCodec([a_key("two")]).decode([sealed])
    sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    with pytest.raises(PayloadKeyError, match="altered"):
        await codec.decode([sealed])


async def test_plain_payload_passes_through_decoding() -> None:
    assert await EncryptionCodec([a_key("one")]).decode([a_payload()]) == [a_payload()]


def test_key_never_shows_its_secret() -> None:
    key = a_key("one")
    assert key.secret.hex() not in repr(key)
    assert "hidden" in repr(key)


async def test_failures_are_encrypted_too() -> None:
    converter = data_converter([a_key("one")])
    from temporalio.api.failure.v1 import Failure

    failure = Failure()
    await converter.encode_failure(ApplicationError("director-1 owes 17 USD"), failure)
    assert b"director-1" not in failure.SerializeToString()
