"""Second factors as requests show them: codes, recovery codes, and what passkeys have signed."""

import hashlib
import io
import ipaddress
import secrets
from base64 import b32encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request

from activities.adapters.people.passkeys import Party, Passkey, PasskeyError, signed
from activities.adapters.postgres.governance.factors import PASSKEY, TOTP, Factor
from api.services import Services
from models.trading.governance.totp import SECRET_BYTES, accepted_step

ISSUER: Final = "Aether"
CODES: Final = 10
CODE_BYTES: Final = 15
"""120 random bits: a hash without salt cannot be guessed back (ASVS 6.5.2 asks for 112)."""
CHALLENGE_BYTES: Final = 32


def party_of(request: Request) -> Party | None:
    """Return the relying party of the address that a request came to; None for an IP address."""
    host = request.headers.get("host", "").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        origin = request.headers.get("origin", f"{request.url.scheme}://{host}")
        return Party(name, origin.lower()) if name else None
    return None


def new_challenge() -> bytes:
    """Return what a passkey is asked to sign where nothing in particular is confirmed."""
    return secrets.token_bytes(CHALLENGE_BYTES)


def confirmed(factors: Sequence[Factor], kind: str) -> list[Factor]:
    """Return the factors of a kind that count."""
    return [one for one in factors if one.kind == kind and one.confirmed_at is not None]


async def totp_right(services: Services, factors: Sequence[Factor], code: str) -> bool:
    """Tell whether a code is one of the person's, and take its time step."""
    now = datetime.now(UTC)
    for factor in confirmed(factors, TOTP):
        secret = services.identity.sealing.open(factor.secret or "", seal_context(factor))
        step = accepted_step(secret, code, now, factor.last_step)
        if step is not None:
            return await services.identity.factors.use(factor.factor_id, now, step=step)
    return False


async def passkey_right(
    services: Services,
    factors: Sequence[Factor],
    party: Party | None,
    credential: Mapping[str, Any],
    challenge: bytes,
) -> bool:
    """Tell whether one of the person's passkeys has signed a challenge, and take its counter."""
    for factor in confirmed(factors, PASSKEY):
        if party is None or factor.credential_id != credential.get("id"):
            continue
        known = Passkey(factor.credential_id or "", factor.public_key or "", factor.sign_count)
        try:
            count = signed(party, credential, challenge, known)
        except PasskeyError:
            return False
        now = datetime.now(UTC)
        return await services.identity.factors.use(factor.factor_id, now, count=count)
    return False


def seal_context(factor: Factor) -> str:
    """Return whose secret it is, which is authenticated with it."""
    return f"{factor.user_id}/{factor.factor_id}"


def new_totp_secret() -> bytes:
    """Return a new secret for an authenticator."""
    return secrets.token_bytes(SECRET_BYTES)


def totp_uri(secret: bytes, name: str) -> str:
    """Return the address that authenticators read (Key URI Format)."""
    label = quote(f"{ISSUER}:{name}", safe=":")
    return f"otpauth://totp/{label}?secret={b32encode(secret).decode()}&issuer={ISSUER}"


def qr_image(text: str) -> str:
    """Return a text as a QR code in SVG."""
    import segno

    image = io.BytesIO()
    segno.make(text, error="m").save(image, kind="svg", scale=4, xmldecl=False)
    return image.getvalue().decode()


def new_recovery_codes() -> list[str]:
    """Return new recovery codes in the form in which they are shown."""
    found = []
    for _ in range(CODES):
        text = b32encode(secrets.token_bytes(CODE_BYTES)).decode()
        found.append("-".join(text[at : at + 4] for at in range(0, len(text), 4)))
    return found


def code_hash(code: str) -> str:
    """Return the hash under which a recovery code is stored, however it is typed."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
