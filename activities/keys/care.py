"""Exchange keys as people handle them: uploaded, validated, rotated, removed."""

from collections.abc import Awaitable, Callable

from activities.execution.order_submission import Clock
from activities.ports.exchange_errors import CredentialsError, ExchangeError
from activities.ports.secrets import (
    Credentials,
    KeptKey,
    KeyRecord,
    KeyStore,
    KeyValidator,
    NotApprovedError,
)
from models.trading.governance.exchange_keys import (
    IN_USE,
    KeyJudgement,
    is_private_key,
    judge_permissions,
)
from models.trading.risk.limits import Mode


class KeyRefusedError(Exception):
    """A key is not taken; ``code`` is stable, the message is for people and names no secret."""

    def __init__(self, code: str, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.code = code
        self.lasting = lasting


class ExchangeKeys:
    """Take keys in, validate them at once, and let go of them."""

    def __init__(
        self, record: KeyRecord, store: KeyStore, validator: KeyValidator, clock: Clock
    ) -> None:
        self._record = record
        self._store = store
        self._validator = validator
        self._clock = clock

    async def keys(self, account: str) -> list[KeptKey]:
        """Return all keys that an account has or had, newest first."""
        return await self._record.keys(account)

    async def judge(self, account: str, mode: Mode, credentials: Credentials) -> frozenset[str]:
        """Return what a key may do that could take the place of the one in use.

        Raises:
            KeyRefusedError: it is not fit, or the one in use already.
        """
        if not credentials.key or not is_private_key(credentials.secret):
            raise KeyRefusedError(
                "key-malformed", "A key is not empty, and its private key is base64 of 64 bytes."
            )
        if await self._is_in_use(account, mode, credentials):
            raise KeyRefusedError("key-unchanged", "This key is the one in use already.")
        judgement, permissions = await self._validated(credentials, mode)
        if not judgement.is_fit:
            raise KeyRefusedError(judgement.code, judgement.reason)
        return permissions

    async def upload(
        self,
        account: str,
        mode: Mode,
        credentials: Credentials,
        by: str,
        approval: str | None = None,
    ) -> KeptKey:
        """Validate a key and put it in the place of the one before.

        ``approval`` names that of another person; an account that trades live needs one.

        Raises:
            KeyRefusedError: it is not fit, belongs to another account, is approved by nobody, or
                cannot be stored.
        """
        permissions = await self.judge(account, mode, credentials)

        async def put() -> None:
            await self._store.put(account, mode, credentials)

        return await self._kept(account, mode, credentials, permissions, by, approval, put)

    async def remove(self, account: str, mode: Mode, trading: Mode, by: str) -> KeptKey:
        """Forget the key in use, unless the account trades with it.

        Raises:
            KeyRefusedError: there is none, it is needed, or the store cannot be written.
        """
        if trading is mode:
            raise KeyRefusedError(
                "key-needed", f"{account} trades with this key: rotate it by uploading another one."
            )

        async def put() -> None:
            await self._store.remove(account, mode)

        try:
            gone = await self._record.end(account, mode, by, self._clock(), put)
        except ExchangeError as error:
            raise KeyRefusedError("secrets-unavailable", f"{error}.", lasting=False) from None
        if gone is None:
            raise KeyRefusedError("no-key", f"{account} has no {mode.value} key.")
        return gone

    async def check(
        self, account: str, mode: Mode, by: str, approval: str | None = None
    ) -> KeptKey:
        """Validate the stored key now; one that was stored by hand is taken into the record.

        Raises:
            KeyRefusedError: there is none, or nobody can tell now; a key that is not fit is no
                error here: it is written and shown.
        """
        credentials = await self._stored(account, mode)
        judgement, permissions = await self._validated(credentials, mode)
        known = await self._in_use(account, mode)
        if known is None or not known.is_of(credentials.key):
            if not judgement.is_fit:
                raise KeyRefusedError(judgement.code, judgement.reason)
            return await self._kept(
                account, mode, credentials, permissions, by, approval, _already_stored
            )
        return await self._record.validated(
            known, permissions or None, judgement.code, by, self._clock()
        )

    async def new_key(self, account: str, mode: Mode) -> str | None:
        """Return the public half of the stored key if the record does not know it, else None.

        Raises:
            KeyRefusedError: there is none, or the store does not answer.
        """
        credentials = await self._stored(account, mode)
        known = await self._in_use(account, mode)
        return None if known is not None and known.is_of(credentials.key) else credentials.key

    async def _stored(self, account: str, mode: Mode) -> Credentials:
        try:
            credentials = await self._store.exchange_credentials(account, mode)
        except ExchangeError as error:
            raise KeyRefusedError("secrets-unavailable", f"{error}.", lasting=False) from None
        if credentials is None:
            raise KeyRefusedError("no-key", f"{account} has no {mode.value} key.")
        return credentials

    async def _kept(
        self,
        account: str,
        mode: Mode,
        credentials: Credentials,
        permissions: frozenset[str],
        by: str,
        approval: str | None,
        put: Callable[[], Awaitable[None]],
    ) -> KeptKey:
        try:
            return await self._record.store(
                account, mode, credentials.key, permissions, by, self._clock(), put, approval
            )
        except NotApprovedError as error:
            raise KeyRefusedError("approval-needed", f"{error}.", lasting=False) from None
        except CredentialsError as error:
            raise KeyRefusedError("key-of-another-account", f"{error}.") from None
        except ExchangeError as error:
            raise KeyRefusedError("secrets-unavailable", f"{error}.", lasting=False) from None

    async def _validated(
        self, credentials: Credentials, mode: Mode
    ) -> tuple[KeyJudgement, frozenset[str]]:
        try:
            permissions = await self._validator.permissions_of(credentials, mode)
        except CredentialsError as error:
            if not error.raw:
                raise KeyRefusedError("key-in-use", f"{error}.", lasting=False) from None
            return KeyJudgement("key-unknown", f"The exchange refuses the key: {error.raw}."), (
                frozenset()
            )
        except ExchangeError as error:
            raise KeyRefusedError(
                "key-not-validated",
                f"The exchange did not say what the key may do: {error}. Nothing was stored.",
                lasting=False,
            ) from None
        return judge_permissions(permissions), permissions

    async def _in_use(self, account: str, mode: Mode) -> KeptKey | None:
        keys = await self._record.keys(account)
        return next((key for key in keys if key.mode is mode and key.state == IN_USE), None)

    async def _is_in_use(self, account: str, mode: Mode, credentials: Credentials) -> bool:
        known = await self._in_use(account, mode)
        if known is None or not known.is_of(credentials.key):
            return False
        try:
            stored = await self._store.exchange_credentials(account, mode)
        except ExchangeError as error:
            raise KeyRefusedError("secrets-unavailable", f"{error}.", lasting=False) from None
        return stored == credentials


async def _already_stored() -> None:
    """Put nothing: somebody has put the key into the store by hand."""
