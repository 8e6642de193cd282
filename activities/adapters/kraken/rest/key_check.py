"""Asking the exchange about a key that nobody trades with."""

import logging
from collections.abc import Callable
from pathlib import Path

from activities.adapters.kraken.addresses import AllowedHosts, ExchangeAddresses
from activities.adapters.kraken.directory import LiveGate
from activities.adapters.kraken.rest.key_rights import key_permissions
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
from activities.ports.secrets import Credentials, Secrets
from models.trading.risk.limits import Mode

_log = logging.getLogger(__name__)


class KrakenKeyValidator:
    """Implement ``exchange_keys.KeyValidator`` with GetApiKeyInfo.

    Args:
        simulator: addresses of the exchange simulator, on loopback.
        live: where live keys are asked about.
        state_directory: where nonce marks and key locks live.
    """

    def __init__(
        self,
        simulator: ExchangeAddresses,
        live: LiveGate,
        state_directory: Path,
        nonce_store: Callable[[str], NonceStore] | None = None,
        key_lock: Callable[[str], KeyLock] | None = None,
    ) -> None:
        self._places = {
            Mode.SIMULATED: (simulator.rest, AllowedHosts.loopback()),
            Mode.LIVE: (live.addresses.rest, live.allowed),
        }
        self._nonce_store = nonce_store or (
            lambda name: FileNonceStore(state_directory / f"{name}.nonce")
        )
        self._key_lock = key_lock or (lambda name: FileKeyLock(state_directory / f"{name}.lock"))

    async def permissions_of(self, credentials: Credentials, mode: Mode) -> frozenset[str]:
        """Return what a key may do.

        Raises:
            CredentialsError: the exchange refuses the key, in ``raw`` its words; or another process
                uses it, without words of the exchange.
            ExchangeError: no answer that tells.
        """
        rest, allowed = self._places[mode]
        name = key_fingerprint(credentials.key)
        lock = self._key_lock(name)
        lock.acquire()
        try:
            nonces = NonceCounter(self._nonce_store(name))
            transport = Transport(rest, allowed, credentials, nonces)
            try:
                return await key_permissions(transport)
            finally:
                await transport.close()
        finally:
            lock.release()


class KrakenKeyInspector:
    """Implement ``mode_ports.KeyInspector``."""

    def __init__(self, secrets: Secrets, validator: KrakenKeyValidator) -> None:
        self._secrets = secrets
        self._validator = validator

    async def permissions(self, account: str) -> frozenset[str] | None:
        """Return the permissions of the account's live key, None when they cannot be found out."""
        try:
            credentials = await self._secrets.exchange_credentials(account, Mode.LIVE)
            if credentials is None:
                return None
            return await self._validator.permissions_of(credentials, Mode.LIVE)
        except ExchangeError as failure:
            _log.warning("the permissions of %s's live key are not known: %s", account, failure)
            return None
