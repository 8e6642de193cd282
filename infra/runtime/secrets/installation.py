"""What an installation keeps secret, as typed documents over a store."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from infra.runtime.secrets.store import (
    NEW,
    Content,
    SecretsConflictError,
    SecretsMissingError,
    SecretsReadOnlyError,
    SecretStore,
)
from models.trading.risk.limits import Mode

PAYLOAD_KEYS = "payload-keys"
ADMINISTRATOR_TOKEN = "administrator-token"  # noqa: S105 a document's name
ORDER = "order"
"""The field that holds the ids of payload keys, the one that encrypts first."""
KEY_BYTES = 32
PROVIDER = "provider"
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ExchangeKey:
    """An exchange key and its secret as stored. ``repr`` never shows the secret."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"ExchangeKey(key=…{self.key[-4:]}, secret=hidden)"


class InstallationSecrets:
    """The secrets of one installation. Every method may raise ``SecretsError``."""

    def __init__(self, store: SecretStore) -> None:
        self.store = store

    def create(self) -> Self:
        """Make what every installation needs and is not there yet.

        Raises:
            SecretsMissingError: a document is missing where this process cannot write.
        """
        make = getattr(self.store, "create", None)
        if make is not None:
            make()
        for name, content in ((PAYLOAD_KEYS, fresh_payload_keys), (ADMINISTRATOR_TOKEN, _token)):
            if self.store.read(name) is None:
                self._first(name, content())
        return self

    def exchange_key(self, account: str, mode: Mode) -> ExchangeKey | None:
        """Return the account's key for a mode, None when there is none."""
        found = self.store.read(_exchange(account, mode))
        return ExchangeKey(found.content["key"], found.content["secret"]) if found else None

    def put_exchange_key(self, account: str, mode: Mode, key: ExchangeKey) -> None:
        """Store an account's key for a mode; one key belongs to one account only (A-3).

        Raises:
            ValueError: the key is already stored for another account.
        """
        if self.owner_of(key.key) not in (None, account):
            raise ValueError("this exchange key belongs to another account")
        content = {"key": key.key, "secret": key.secret}
        self._replace(_exchange(account, mode), lambda _: content)

    def remove_exchange_key(self, account: str, mode: Mode) -> None:
        """Forget an account's key for a mode."""
        self.store.remove(_exchange(account, mode))

    def owner_of(self, key: str) -> str | None:
        """Return the account that a key is stored for, None when nobody's."""
        for name in self.store.names():
            if name.startswith("exchange/"):
                found = self.store.read(name)
                if found is not None and found.content.get("key") == key:
                    return name.split("/")[1]
        return None

    def simulated_key(self, account: str) -> ExchangeKey:
        """Return the account's key for the simulator, generated at the first call."""
        existing = self.exchange_key(account, Mode.SIMULATED)
        if existing is None:
            existing = fresh_exchange_key()
            # Made at random just now: nobody else can have it, so nobody is asked.
            content = {"key": existing.key, "secret": existing.secret}
            self._replace(_exchange(account, Mode.SIMULATED), lambda _: content)
        return existing

    def provider_secret(self, name: str) -> str | None:
        """Return a password or token of a mail server or provider, None when there is none."""
        found = self.store.read(f"{PROVIDER}/{name}")
        return None if found is None else found.content["value"]

    def provider_secrets(self) -> frozenset[str]:
        """Return the names of those that are stored."""
        begins = f"{PROVIDER}/"
        return frozenset(
            name.removeprefix(begins) for name in self.store.names() if name.startswith(begins)
        )

    def put_provider_secret(self, name: str, value: str) -> None:
        """Store one; an earlier one is forgotten."""
        self._replace(f"{PROVIDER}/{name}", lambda _: {"value": value})

    def made_provider_secret(self, name: str) -> str:
        """Return one that nobody else gives out, made at random at the first call."""
        document = f"{PROVIDER}/{name}"
        if self.store.read(document) is None:
            self._first(document, {"value": secrets.token_urlsafe(KEY_BYTES)})
        return self._needed(document)["value"]

    def codec_keys(self) -> dict[str, bytes]:
        """Return the 32-byte keys of the payload codec by id; the first one encrypts."""
        content = self._needed(PAYLOAD_KEYS)
        return {name: base64.b64decode(content[name]) for name in content[ORDER].split()}

    def rotate_payload_key(self) -> str:
        """Make a new key that encrypts from now on, and return its id; the older ones still read.

        Running processes learn of it as ``PayloadKeys`` says.
        """
        name, key = secrets.token_hex(4), _random_key()

        def change(content: Content) -> Content:
            return {**content, name: key, ORDER: f"{name} {content[ORDER]}"}

        self._replace(PAYLOAD_KEYS, change)
        return name

    def forget_payload_key(self, name: str) -> None:
        """Forget an older key; what was encrypted with it is lost for good.

        Raises:
            ValueError: there is no such key, or it is the one that encrypts.
        """

        def change(content: Content) -> Content:
            order = content[ORDER].split()
            if name not in order[1:]:
                raise ValueError(
                    f"{name} is no older payload key: {', '.join(order[1:]) or 'none'}"
                )
            order.remove(name)
            return {ORDER: " ".join(order), **{one: content[one] for one in order}}

        self._replace(PAYLOAD_KEYS, change)

    def administrator_token(self) -> str:
        """Return the bootstrap administrator's bearer token."""
        return self._needed(ADMINISTRATOR_TOKEN)["token"]

    def replace_administrator_token(self) -> str:
        """Make the bootstrap administrator's token anew and return it; the old one is forgotten."""
        fresh = _token()
        self._replace(ADMINISTRATOR_TOKEN, lambda _: fresh)
        return fresh["token"]

    def signing_key(self, name: str, make: Callable[[], bytes] | None = None) -> bytes:
        """Return the private key under a name; ``make`` says what it is where there is none.

        Raises:
            SecretsMissingError: there is none and none can be made.
        """
        document = f"signing/{name}"
        found = self.store.read(document)
        if found is None:
            if make is None:
                raise SecretsMissingError(f"there is no signing key {name} yet")
            self._first(document, {"key": base64.b64encode(make()).decode()})
            found = self.store.read(document)
        if found is None:
            raise SecretsMissingError(f"the signing key {name} was removed meanwhile")
        return base64.b64decode(found.content["key"])

    def _needed(self, name: str) -> Content:
        found = self.store.read(name)
        if found is None:
            raise SecretsMissingError(
                f"the secrets ({self.store.kind}) hold no {name}: start the platform, aether up"
            )
        return found.content

    def _first(self, name: str, content: Content) -> None:
        try:
            self.store.write(name, content, NEW)
        except SecretsConflictError:
            return  # another process was faster: what it made counts
        except SecretsReadOnlyError as error:
            raise SecretsMissingError(f"{name} is missing: {error}") from None

    def _replace(self, name: str, change: Callable[[Content], Content]) -> None:
        for attempt in range(ATTEMPTS):
            found = self.store.read(name)
            content = change({} if found is None else found.content)
            try:
                self.store.write(name, content, NEW if found is None else found.version)
            except SecretsConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return


def first_documents() -> dict[str, Content]:
    """Return new documents that every installation needs, for a store that is written by hand."""
    return {
        PAYLOAD_KEYS: fresh_payload_keys(),
        ADMINISTRATOR_TOKEN: _token(),
        "signing/record": {"key": _random_key()},
    }


def fresh_exchange_key() -> ExchangeKey:
    """Return a random key as Kraken makes them, for the simulator."""
    return ExchangeKey(
        key=base64.b64encode(secrets.token_bytes(42)).decode(),
        secret=base64.b64encode(secrets.token_bytes(64)).decode(),
    )


def fresh_payload_keys() -> Mapping[str, str]:
    """Return a document with one new payload key."""
    name = secrets.token_hex(4)
    return {ORDER: name, name: _random_key()}


def fresh_key() -> bytes:
    """Return 32 random bytes: a key for AES-256 or Ed25519."""
    return secrets.token_bytes(KEY_BYTES)


def _random_key() -> str:
    return base64.b64encode(fresh_key()).decode()


def _token() -> Mapping[str, str]:
    return {"token": secrets.token_urlsafe(32)}


def _exchange(account: str, mode: Mode) -> str:
    return f"exchange/{account}/{mode.value}"
