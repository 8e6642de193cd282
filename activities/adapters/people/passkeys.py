"""Passkeys (W3C WebAuthn Level 3): options for the browser, and verification of what it returns.

User verification is required throughout. The relying party is the name in the address, which an IP
address cannot be.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.trading.governance.sessions import STEP_UP

NAME = "Aether"
TIMEOUT_MILLISECONDS = int(STEP_UP.total_seconds() * 1000)


class PasskeyError(Exception):
    """What a passkey returned does not verify."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A registered passkey: ids and public key as base64url."""

    credential_id: str
    public_key: str
    sign_count: int


@dataclass(frozen=True, slots=True)
class Party:
    """The relying party of one address.

    Attributes:
        identity: its name without the port, for example ``localhost``.
        origin: as browsers state it, for example ``http://localhost:7400``.
    """

    identity: str
    origin: str


def registration_options(
    party: Party, user_id: str, name: str, challenge: bytes, known: Sequence[str]
) -> dict[str, Any]:
    """Return what a browser needs to make a passkey for a person."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = webauthn.generate_registration_options(
        rp_id=party.identity,
        rp_name=NAME,
        user_name=name,
        user_id=user_id.encode(),
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known
        ],
    )
    found: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return found


def registered(party: Party, credential: Mapping[str, Any], challenge: bytes) -> Passkey:
    """Return the passkey that a browser has made.

    Raises:
        PasskeyError: it does not verify.
    """
    import webauthn
    from webauthn.helpers import bytes_to_base64url

    with _verifying():
        found = webauthn.verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.identity,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    return Passkey(
        bytes_to_base64url(found.credential_id),
        bytes_to_base64url(found.credential_public_key),
        found.sign_count,
    )


def authentication_options(party: Party, challenge: bytes, known: Sequence[str]) -> dict[str, Any]:
    """Return what a browser needs to have one of a person's passkeys sign a challenge."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=party.identity,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        allow_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known
        ],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    found: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return found


def signed(party: Party, credential: Mapping[str, Any], challenge: bytes, passkey: Passkey) -> int:
    """Verify that a passkey signed a challenge, and return its counter.

    Raises:
        PasskeyError: it did not, or the counter shows that it was copied.
    """
    import webauthn
    from webauthn.helpers import base64url_to_bytes

    with _verifying():
        found = webauthn.verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.identity,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    return found.new_sign_count


def evidence(credential: Mapping[str, Any]) -> dict[str, str]:
    """Return what shows later what was signed: everything that the signature is computed over."""
    response = credential["response"]
    names = ("clientDataJSON", "authenticatorData", "signature")
    return {"credential": str(credential["id"])} | {name: str(response[name]) for name in names}


class _verifying:  # noqa: N801  # a context manager, used like a function
    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from webauthn.helpers.exceptions import WebAuthnException

        if isinstance(error, WebAuthnException | ValueError | KeyError | TypeError):
            raise PasskeyError(str(error)) from error
