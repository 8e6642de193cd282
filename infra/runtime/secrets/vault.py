"""HashiCorp Vault or OpenBao: KV version 2, entered by AppRole or a Kubernetes service account.

Where a transit key is named, each value is encrypted by the server before it is stored, with the
document's name as associated data: who may read the KV engine alone reads no secret.
"""

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar
from urllib.parse import urlsplit

from infra.runtime.errors import ConfigurationError
from infra.runtime.secrets.store import (
    NEW,
    Content,
    Document,
    SecretsConflictError,
    SecretsDamagedError,
    SecretsError,
    SecretsExpiredError,
    SecretsMissingError,
    SecretsSealedError,
    SecretsUnreachableError,
)

if TYPE_CHECKING:
    from hvac import Client

SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
TIMEOUT_SECONDS = 5
SEALED_TEXT = "sealed"
TRANSIT_FIELD = "transit"
"""The only field of a document whose content the transit engine has encrypted."""
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Where the documents are and how they are entered.

    Attributes:
        address: base address; plain HTTP is taken on loopback only.
        mount: of the KV engine, version 2.
        path: under which the installation's documents lie.
        auth: method; its mount has the same name.
        role: of a Kubernetes login.
        role_id_file: first half of an AppRole.
        secret_id_file: its second half.
        authority_file: the certificate authority, the system's where none is given.
        transit_key: key of the transit engine, "" for none.
        namespace: of the server, "" for none.
        service_account_file: the token that a Kubernetes login shows.
    """

    address: str
    mount: str = "secret"
    path: str = "aether"
    auth: Literal["approle", "kubernetes"] = "approle"
    role: str = "aether"
    role_id_file: Path | None = None
    secret_id_file: Path | None = None
    authority_file: Path | None = None
    transit_key: str = ""
    namespace: str = ""
    service_account_file: Path = SERVICE_ACCOUNT_TOKEN


class VaultStore:
    """Documents as secrets of a KV engine, one version each.

    The token is renewed when half its life is over, and a new one is asked for when it cannot be
    renewed. Every failure is one of the states of ``store``.
    """

    kind = "Vault"
    is_writable = True

    def __init__(self, place: VaultPlace, clock: Callable[[], float] = time.monotonic) -> None:
        """Refuse an address that others can listen to.

        Raises:
            ConfigurationError: plain HTTP to another machine.
        """
        found = urlsplit(place.address)
        if found.scheme != "https" and found.hostname not in LOOPBACK:
            raise ConfigurationError("AETHER_VAULT_ADDRESS: https, or http on this machine only")
        self._place = place
        self._clock = clock
        self._lock = threading.RLock()
        self._client: Client | None = None
        self._renew_at = self._ends_at = 0.0

    def read(self, name: str) -> Document | None:
        """Return a document as it is now, None when there is none."""
        from hvac.exceptions import InvalidPath

        def ask(client: "Client") -> Document | None:
            try:
                answer = client.secrets.kv.v2.read_secret_version(
                    self._path(name), mount_point=self._place.mount, raise_on_deleted_version=True
                )
            except InvalidPath as error:
                if error.errors:  # no engine there: that is not the same as no document
                    raise
                return None
            found = answer["data"]
            version = str(found["metadata"]["version"])
            return Document(name, version, self._opened(client, name, found["data"]))

        return self._call(ask)

    def write(self, name: str, content: Content, version: str) -> str:
        """Store a document if it still has the version; return the new one."""
        from hvac.exceptions import InvalidRequest

        def ask(client: "Client") -> str:
            engine, mount = client.secrets.kv.v2, self._place.mount
            if version == NEW:
                # What is replaced is gone: the server keeps no history of secrets.
                engine.update_metadata(
                    self._path(name), max_versions=1, cas_required=True, mount_point=mount
                )
            try:
                answer = engine.create_or_update_secret(
                    self._path(name),
                    self._closed(client, name, content),
                    cas=int(version or 0),
                    mount_point=mount,
                )
            except InvalidRequest as error:
                if "check-and-set" in str(error):
                    raise SecretsConflictError(f"{name} was changed meanwhile") from None
                raise
            return str(answer["data"]["version"])

        return self._call(ask)

    def remove(self, name: str) -> None:
        """Forget a document with all its versions; removing nothing is harmless."""
        self._call(
            lambda client: client.secrets.kv.v2.delete_metadata_and_all_versions(
                self._path(name), mount_point=self._place.mount
            )
        )

    def names(self) -> list[str]:
        """Return the names of all documents, in order."""
        return sorted(self._call(lambda client: list(self._below(client, ""))))

    def check(self) -> None:
        """Renew the token when it is due, and look for the engine; raise what is wrong."""
        self._call(lambda client: self._keys_in(client, ""))

    def _below(self, client: "Client", folder: str) -> list[str]:
        found: list[str] = []
        for key in self._keys_in(client, folder):
            inside = key.endswith("/")
            found += self._below(client, folder + key) if inside else [folder + key]
        return found

    def _keys_in(self, client: "Client", folder: str) -> list[str]:
        from hvac.exceptions import InvalidPath

        try:
            answer = client.secrets.kv.v2.list_secrets(
                self._path(folder), mount_point=self._place.mount
            )
        except InvalidPath as error:
            if error.errors:  # no engine there: that is not the same as no document
                raise
            return []
        keys: list[str] = answer["data"]["keys"]
        return keys

    def _path(self, name: str) -> str:
        return f"{self._place.path}/{name}".rstrip("/")

    def _closed(self, client: "Client", name: str, content: Content) -> dict[str, str]:
        key = self._place.transit_key
        if not key:
            return dict(content)
        answer = client.secrets.transit.encrypt_data(
            key,
            plaintext=_encoded(json.dumps(dict(content)).encode()),
            associated_data=_encoded(name.encode()),
        )
        return {TRANSIT_FIELD: answer["data"]["ciphertext"]}

    def _opened(self, client: "Client", name: str, found: dict[str, str]) -> dict[str, str]:
        from hvac.exceptions import InvalidRequest

        if not self._place.transit_key:
            if set(found) == {TRANSIT_FIELD}:
                raise SecretsDamagedError(
                    f"{name} is under a transit key: AETHER_VAULT_TRANSIT_KEY"
                )
            return found
        if set(found) != {TRANSIT_FIELD}:
            raise SecretsDamagedError(f"{name} was not encrypted by the transit key")
        try:
            answer = client.secrets.transit.decrypt_data(
                self._place.transit_key,
                ciphertext=found[TRANSIT_FIELD],
                associated_data=_encoded(name.encode()),
            )
        except InvalidRequest:
            raise SecretsDamagedError(f"{name} cannot be decrypted by the transit key") from None
        content: dict[str, str] = json.loads(base64.b64decode(answer["data"]["plaintext"]))
        return content

    def _call(self, ask: "Callable[[Client], _T]") -> _T:
        """Ask with a token that is valid; once more with a new one if this one is not."""
        from hvac.exceptions import Forbidden

        with self._lock:
            try:
                try:
                    return ask(self._entered())
                except Forbidden:
                    self._client = None
                    return ask(self._entered())
            except SecretsError:
                raise
            except Exception as error:  # noqa: BLE001 whatever it is, it has a type
                raise self._typed(error) from None

    def _entered(self) -> "Client":
        now = self._clock()
        if self._client is None or now >= self._ends_at:
            self._enter()
        elif now >= self._renew_at:
            self._renew(self._client)
        assert self._client is not None
        return self._client

    def _enter(self) -> None:
        # Not at the top: only where the secrets are in Vault, and slow to load.
        from hvac import Client

        place = self._place
        client = Client(
            url=place.address,
            verify=str(place.authority_file) if place.authority_file else True,
            timeout=TIMEOUT_SECONDS,
            namespace=place.namespace or None,
            allow_redirects=False,
        )
        client.token = None  # hvac takes one from the environment or the home directory
        if place.auth == "kubernetes":
            token = _text_of(place.service_account_file)
            answer = client.auth.kubernetes.login(role=place.role, jwt=token)
        else:
            answer = client.auth.approle.login(
                role_id=_text_of(place.role_id_file), secret_id=_text_of(place.secret_id_file)
            )
        self._client = client
        self._note_life(answer["auth"]["lease_duration"])

    def _renew(self, client: "Client") -> None:
        from hvac.exceptions import Forbidden, InvalidRequest

        try:
            answer = client.auth.token.renew_self()
        except (Forbidden, InvalidRequest):
            self._enter()
        else:
            self._note_life(answer["auth"]["lease_duration"])

    def _note_life(self, seconds: int) -> None:
        # 0: it does not end.
        life = seconds or float("inf")
        self._ends_at, self._renew_at = self._clock() + life, self._clock() + life / 2

    def _typed(self, error: Exception) -> SecretsError:
        import requests
        from hvac import exceptions as told

        where = self._place.address
        if isinstance(error, told.VaultNotInitialized) or SEALED_TEXT in str(error).lower():
            return SecretsSealedError(f"Vault at {where} is sealed: somebody must unseal it")
        if isinstance(error, told.Forbidden | told.Unauthorized | told.InvalidRequest):
            return SecretsExpiredError(
                f"Vault at {where} refuses this process ({self._place.auth}): its credentials are "
                f"wrong, have expired, or its policy lacks a right: {_first_line(error)}"
            )
        if isinstance(error, told.InvalidPath):
            return SecretsMissingError(f"Vault at {where} has no KV engine at {self._place.mount}")
        if isinstance(error, told.VaultError | requests.RequestException):
            return SecretsUnreachableError(f"Vault at {where}: {_first_line(error)}")
        return SecretsUnreachableError(f"Vault at {where} answers nonsense: {type(error).__name__}")


def _text_of(path: Path | None) -> str:
    try:
        return path.read_text().strip() if path is not None else ""
    except OSError as error:
        raise SecretsExpiredError(f"{error.filename} cannot be read: {error.strerror}") from None


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _first_line(error: Exception) -> str:
    # What a server sends goes into logs: its first words only.
    return " ".join(str(error).split())[:200] or type(error).__name__
