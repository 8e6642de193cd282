"""The test vectors of W3C WebAuthn Level 3, section 16, made anew as it says, and verified.

Every value there comes out of HKDF-SHA-256 over one text, the salts counting up within a vector,
and signatures have the nonce of RFC 6979. Here only digests of what is published are kept: what is
made anew must be that to the byte.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from activities.adapters.people.passkeys import Party, PasskeyError, registered, signed

PARTY = Party("example.org", "https://example.org")
ES256 = -7
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
EXTRA = "clientDataJSON may be extended with additional fields in the future, such as this: "
PUBLISHED = {
    "none.ES256": [
        "c0aa49c57f59765c9f47e6000c04dfe66547a3bd2a6e003a82e336a6e569cb7f",
        "090d1e7dfd42dcc631e7a4f02070fe3be8a0019a480153e0603d0b7cebc17d98",
        "676a6e380fd31ea5710705c7be1ac4889b037895d0a25291f51251b7d7b1df02",
        "2fa3688ce26520481b38f218e1289f8db04f2726fa5d0007a8b2db6c66b4eeab",
        "e6b84e03104e4fc5f59dee5f5bab455b61775d2725e21d87c11e894815b36119",
    ],
    "none.ES256.crossOrigin": [
        "967a55ac8209a99f56256db28c4d03cd16b7c1557bbe57021227204a5932c106",
        "7c50806271f10c33dd940bc65334517395439f415e3e1eabeb84630fc0f423ff",
        "5433303f133eeec1c6ef3d8bddad49f6f1fe29951d297201abfb928a6a9c2a67",
        "e530971bef6ed8ed544a9b6b8ed2e45ae682a595e602be48b7abf14d99f9493e",
        "f5cddf0485f53ec467c0b5207a1bb74e7022cc94b6a015390ce21b2f64527113",
    ],
    "packed-self.ES256": [
        "69499bf5257be4e618f4462e458666d9827a713bca423b8bb77e8ef214f49f9f",
        "dba5494aa6958e286220403054776b48578239a1fd3bb5233a0e170bec926dce",
        "3ca7729f6c9e573e94fea8348130befacd587e99f363944aa3a59c90410f84bf",
        "9677cbe5585eb74d7b290a838670c648a4f5601f8797f9af945b12f1ded559a5",
        "3d937eef718b4b203b5b6946ed87aa575d3cbfa9d0dd659f9a5fd024ab62705a",
    ],
}
"""SHA-256 of attestation object, client data of registration and assertion, authenticator data and
signature, as the section prints them."""


def text_of(content):
    return urlsafe_b64encode(content).rstrip(b"=").decode()


class Derived:
    """The values of one vector, in the order in which the section draws them."""

    def __init__(self, name):
        self._name, self._salt = name.encode(), -1

    def next(self, length=32):
        self._salt += 1
        drawn = HKDF(SHA256(), length, bytes([self._salt]), self._name)
        return drawn.derive(b"WebAuthn test vectors")


@dataclass
class Vector:
    """One registration and one sign-in with what was made."""

    name: str
    cross_origin: bool = False
    packed: bool = False

    def __post_init__(self):
        drawn = Derived(self.name)
        self.challenge = drawn.next()
        self._key = ec.derive_private_key(int.from_bytes(drawn.next()), ec.SECP256R1())
        self.made_with = self._client_data("webauthn.create", self.challenge, drawn)
        aaguid, self.credential_id = drawn.next(16), drawn.next()
        bits = drawn.next(1)[0]
        eligible = bits & ELIGIBLE
        backed_up = BACKED_UP if eligible else 0
        flags = ATTESTED | PRESENT | bits & (VERIFIED | ELIGIBLE | backed_up)
        size = len(self.credential_id).to_bytes(2)
        attested = aaguid + size + self.credential_id + self._public_key()
        self.attestation = self._attestation(self._authenticator_data(flags) + attested)
        self.second_challenge = drawn.next()
        self.signed_with = self._client_data("webauthn.get", self.second_challenge, drawn)
        bits = drawn.next(1)[0]
        self.data = self._authenticator_data(PRESENT | eligible | bits & (VERIFIED | backed_up))
        self.signature = self._sign(self.data, self.signed_with)

    def _client_data(self, kind, challenge, drawn):
        said = {"type": kind, "challenge": text_of(challenge), "origin": PARTY.origin}
        said["crossOrigin"] = self.cross_origin
        if drawn.next(1)[0] & 1:
            said["extraData"] = EXTRA + text_of(drawn.next(16))
        return json.dumps(said, separators=(",", ":")).encode()

    def _authenticator_data(self, flags):
        return hashlib.sha256(PARTY.identity.encode()).digest() + bytes([flags]) + bytes(4)

    def _public_key(self):
        point = self._key.public_key().public_numbers()
        return cbor2.dumps(
            {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        )

    def _attestation(self, data):
        statement = {}
        if self.packed:
            statement = {"alg": ES256, "sig": self._sign(data, self.made_with)}
        form = "packed" if self.packed else "none"
        return cbor2.dumps({"fmt": form, "attStmt": statement, "authData": data})

    def _sign(self, data, client_data):
        content = data + hashlib.sha256(client_data).digest()
        return self._key.sign(content, ec.ECDSA(SHA256(), deterministic_signing=True))

    def digests(self):
        made = (self.attestation, self.made_with, self.signed_with, self.data, self.signature)
        return [hashlib.sha256(one).hexdigest() for one in made]

    def registration(self):
        said = {
            "clientDataJSON": text_of(self.made_with),
            "attestationObject": text_of(self.attestation),
        }
        return self._credential(said)

    def assertion(self, signature=None):
        said = {
            "clientDataJSON": text_of(self.signed_with),
            "authenticatorData": text_of(self.data),
            "signature": text_of(signature or self.signature),
        }
        return self._credential(said)

    def _credential(self, response):
        name = text_of(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}


NONE = Vector("none.ES256")
CROSS_ORIGIN = Vector("none.ES256.crossOrigin", cross_origin=True)
PACKED = Vector("packed-self.ES256", packed=True)


@pytest.mark.parametrize("vector", [NONE, CROSS_ORIGIN, PACKED], ids=lambda one: one.name)
def test_what_is_made_anew_is_what_is_published(vector):
    assert vector.digests() == PUBLISHED[vector.name]


@pytest.mark.parametrize("vector", [CROSS_ORIGIN, PACKED], ids=lambda one: one.name)
def test_a_published_registration_with_its_user_verified_is_taken(vector):
    made = registered(PARTY, vector.registration(), vector.challenge)
    assert made.credential_id == text_of(vector.credential_id)
    assert made.sign_count == 0
    with pytest.raises(PasskeyError):
        registered(PARTY, vector.registration(), vector.second_challenge)
    with pytest.raises(PasskeyError):
        registered(Party("example.com", PARTY.origin), vector.registration(), vector.challenge)


def test_a_published_signature_verifies_and_a_changed_one_does_not():
    vector = CROSS_ORIGIN
    made = registered(PARTY, vector.registration(), vector.challenge)
    assert signed(PARTY, vector.assertion(), vector.second_challenge, made) == 0
    with pytest.raises(PasskeyError):
        signed(PARTY, vector.assertion(), vector.challenge, made)
    changed = vector.signature[:-1] + bytes([vector.signature[-1] ^ 1])
    with pytest.raises(PasskeyError):
        signed(PARTY, vector.assertion(changed), vector.second_challenge, made)


def test_without_a_verified_user_neither_registration_nor_signature_counts():
    with pytest.raises(PasskeyError, match=r"(?i)user verification"):
        registered(PARTY, NONE.registration(), NONE.challenge)
    made = registered(PARTY, PACKED.registration(), PACKED.challenge)
    with pytest.raises(PasskeyError, match=r"(?i)user verification"):
        signed(PARTY, PACKED.assertion(), PACKED.second_challenge, made)
