"""Who is asking: API-Sign over the raw body, nonces per key, lockout, permissions, tokens."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

from workers.exchange.accounts import AccountKey
from workers.exchange.clock import ProtocolClock
from workers.exchange.errors import ApiError

FAILURES_UNTIL_LOCKOUT = 10
LOCKOUT_SECONDS = 900.0
TOKEN_SECONDS = 900
MAXIMUM_NONCE = 2**64 - 1
REMEMBERED_NONCES = 4096


def sign(secret: bytes, path: str, nonce: str, body: bytes) -> str:
    """Return API-Sign of a request (kraken-protocol §2)."""
    digest = hashlib.sha256(nonce.encode() + body).digest()
    mac = hmac.new(secret, path.encode() + digest, hashlib.sha512)
    return base64.b64encode(mac.digest()).decode()


class Nonces:
    """Remember what each key has used. Nonces must rise; a window lets late ones pass once."""

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}
        self._recent: dict[str, set[int]] = {}

    def accept(self, key: str, nonce: int, window: int) -> bool:
        """Take a nonce; False when it is too low or was used before."""
        highest = self._highest.get(key, -1)
        recent = self._recent.setdefault(key, set())
        if nonce <= highest - window or nonce in recent or (not window and nonce <= highest):
            return False
        self._highest[key] = max(highest, nonce)
        if window:
            recent.add(nonce)
            if len(recent) > REMEMBERED_NONCES:
                floor = self._highest[key] - window
                self._recent[key] = {used for used in recent if used > floor}
        return True

    def state(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            key: [highest, sorted(self._recent.get(key, ()))]
            for key, highest in self._highest.items()
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from an earlier state."""
        self._highest = {key: entry[0] for key, entry in state.items()}
        self._recent = {key: set(entry[1]) for key, entry in state.items()}


class Authenticator:
    """Check requests of all keys of one exchange."""

    def __init__(self, accounts: Sequence[AccountKey], clock: ProtocolClock) -> None:
        self.nonces = Nonces()
        self._keys = {account.key: account for account in accounts}
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._locked_until: dict[str, float] = {}

    def authenticate(
        self, path: str, key: str, signature: str, nonce: str, body: bytes
    ) -> AccountKey:
        """Return whose request this is.

        Raises:
            ApiError: in the words and order of Kraken: lockout, key, signature, nonce.
        """
        if self._locked_until.get(key, 0.0) > self._clock.seconds():
            raise ApiError("EGeneral:Temporary lockout")
        account = self._keys.get(key)
        if account is None:
            raise self._failure(key, "EAPI:Invalid key")
        expected = sign(account.secret_bytes, path, nonce, body)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise self._failure(key, "EAPI:Invalid signature")
        if not (nonce.isascii() and nonce.isdigit() and int(nonce) <= MAXIMUM_NONCE):
            raise ApiError("EAPI:Invalid nonce")
        if not self.nonces.accept(key, int(nonce), account.nonce_window):
            raise ApiError("EAPI:Invalid nonce")
        self._failures.pop(key, None)
        return account

    def keys(self) -> dict[str, AccountKey]:
        """Return every key that the exchange knows."""
        return self._keys

    def add(self, account: AccountKey) -> None:
        """Know a further key from now on."""
        self._keys[account.key] = account

    def remove(self, key: str) -> None:
        """Know a key no more."""
        self._keys.pop(key, None)

    def _failure(self, key: str, message: str) -> ApiError:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        if failures >= FAILURES_UNTIL_LOCKOUT:
            self._failures.pop(key, None)
            self._locked_until[key] = self._clock.seconds() + LOCKOUT_SECONDS
        return ApiError(message)


def require(account: AccountKey, *alternatives: str) -> None:
    """Refuse when the key has none of the permissions."""
    if not account.permissions.intersection(alternatives):
        raise ApiError("EGeneral:Permission denied")


class Tokens:
    """WebSocket tokens: signed by the exchange, so that they outlive its restart.

    A token must be used within 900 s; a connection that has used it keeps it (protocol §14).
    """

    def __init__(self, secret: bytes, clock: ProtocolClock, authenticator: Authenticator) -> None:
        self._secret = secret
        self._clock = clock
        self._authenticator = authenticator

    def issue(self, account: AccountKey) -> str:
        """Return a fresh token of a key."""
        fingerprint = hashlib.sha256(account.key.encode()).digest()[:12]
        issued = int(self._clock.seconds()).to_bytes(8, "big")
        payload = fingerprint + issued + secrets.token_bytes(6)
        return base64.b64encode(payload + self._seal(payload)).decode()

    def resolve(self, token: str, used: dict[str, AccountKey]) -> AccountKey:
        """Return whose token it is; ``used`` are the tokens that this connection already used."""
        if token in used:
            return used[token]
        try:
            raw = base64.b64decode(token, validate=True)
        except ValueError:
            raise ApiError("EAPI:Invalid token") from None
        payload, seal = raw[:26], raw[26:]
        account = self._owner(payload[:12])
        fresh = self._clock.seconds() - int.from_bytes(payload[12:20], "big") <= TOKEN_SECONDS
        if account is None or not hmac.compare_digest(seal, self._seal(payload)) or not fresh:
            raise ApiError("EAPI:Invalid token")
        used[token] = account
        return account

    def _owner(self, fingerprint: bytes) -> AccountKey | None:
        for key, account in self._authenticator.keys().items():
            if hashlib.sha256(key.encode()).digest()[:12] == fingerprint:
                return account
        return None

    def _seal(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, payload, hashlib.sha256).digest()[:16]
