"""What a live key may do, asked of Kraken with the one call that needs no permission."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from activities.adapters.kraken.directory import LiveGate
from activities.adapters.kraken.errors import Operation
from activities.adapters.kraken.rest.nonce import (
    FileKeyLock,
    FileNonceStore,
    KeyLock,
    NonceCounter,
    NonceStore,
    key_fingerprint,
)
from activities.adapters.kraken.rest.transport import Transport
from activities.ports.exchange_errors import ExchangeError
from activities.ports.secrets import Secrets
from models.trading.risk.limits import Mode

_log = logging.getLogger(__name__)

WORDS = {
    "query-funds": "query_funds",
    "query-open-trades": "query_open_orders",
    "query-closed-trades": "query_closed_orders",
    "query-ledger": "query_ledger",
    "modify-trades": "modify_orders",
    "close-trades": "cancel_orders",
    "create-ws-token": "websocket",
}
"""Kraken's words for what a key may do, and the domain's."""


class KrakenKeyInspector:
    """Implement ``mode_ports.KeyInspector``."""

    def __init__(
        self,
        secrets: Secrets,
        live: LiveGate,
        state_directory: Path,
        nonce_store: Callable[[str], NonceStore] | None = None,
        key_lock: Callable[[str], KeyLock] | None = None,
    ) -> None:
        self._secrets = secrets
        self._live = live
        self._nonce_store = nonce_store or (
            lambda name: FileNonceStore(state_directory / f"{name}.nonce")
        )
        self._key_lock = key_lock or (lambda name: FileKeyLock(state_directory / f"{name}.lock"))

    async def permissions(self, account: str) -> frozenset[str] | None:
        """Return the permissions of the account's live key, None when they cannot be found out."""
        credentials = await self._secrets.exchange_credentials(account, Mode.LIVE)
        if credentials is None:
            return None
        name = key_fingerprint(credentials.key)
        lock = self._key_lock(name)
        try:
            lock.acquire()
        except ExchangeError:
            _log.warning("the live key of %s is in use: its permissions are not asked for", account)
            return None
        nonces = NonceCounter(self._nonce_store(name))
        transport = Transport(self._live.addresses.rest, self._live.allowed, credentials, nonces)
        try:
            answer = await transport.private("GetApiKeyInfo", {}, Operation.READ)
            return permissions_of(answer["permissions"])
        except (ExchangeError, LookupError, TypeError, ValueError) as failure:
            _log.warning("the permissions of %s's live key are not known: %s", account, failure)
            return None
        finally:
            await transport.close()
            lock.release()


def permissions_of(words: Iterable[str]) -> frozenset[str]:
    """Return the domain's words; whatever speaks of withdrawing is one that a key must not have."""
    return frozenset(
        "withdraw_funds" if "withdraw" in word else WORDS.get(word, word) for word in words
    )
