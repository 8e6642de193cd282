"""What signs the record and models is Ed25519: the vectors of RFC 8032, section 7.1."""

import hashlib
from datetime import UTC, datetime

import pytest

from infra.runtime.note_keys import LOG, NoteSigner, NoteVerifier
from models.trading.governance.record.checkpoints import NoteSignature, SignedNote

AT = datetime(2026, 1, 1, tzinfo=UTC)
VECTORS = {
    "test 1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
            "cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    "test 2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
            "0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    "test 3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
            "84dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    "test SHA(abc)": (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").digest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66"
            "431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
}
AS_TEXT = ("test 1", "test 2")
"""What is signed here is text: the other messages are no UTF-8."""


@pytest.mark.parametrize("name", VECTORS)
def test_the_key_that_signs_is_the_one_of_the_vector(name):
    private, public, message, signature = VECTORS[name]
    signer = NoteSigner("vector", LOG, bytes.fromhex(private))
    assert signer.verifier.public.hex() == public
    assert signer._key.sign(message).hex() == signature


@pytest.mark.parametrize("name", AS_TEXT)
def test_a_note_is_signed_and_verified_as_the_vector_says(name):
    private, public, message, signature = VECTORS[name]
    signed = NoteSigner("vector", LOG, bytes.fromhex(private)).sign(message.decode(), AT)
    assert signed.signature.hex() == signature
    verifier = NoteVerifier("vector", LOG, bytes.fromhex(public))

    def verifies(text, raw):
        note = SignedNote(text, (NoteSignature("vector", verifier.key_hash, raw),))
        return verifier.signed_at(note) is not None

    raw = bytes.fromhex(signature)
    assert verifies(message.decode(), raw)
    assert not verifies(message.decode() + "x", raw)
    assert not verifies(message.decode(), raw[:-1] + bytes([raw[-1] ^ 1]))
