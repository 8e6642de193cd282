"""The Secrets port on the installation's store, whichever that is."""

import asyncio

from activities.ports.exchange_errors import CredentialsError, ExchangeUnavailableError
from activities.ports.secrets import Credentials
from infra.runtime.secrets import ExchangeKey, InstallationSecrets, SecretsError, SecretsState
from models.trading.risk.limits import Mode

PASSING = (SecretsState.SEALED, SecretsState.UNREACHABLE, SecretsState.EXPIRED)
"""States of a store that end, by themselves or by somebody's act: asking again may succeed."""


class StoredSecrets:
    """Hands out exchange credentials from a store."""

    def __init__(self, secrets: InstallationSecrets) -> None:
        self._secrets = secrets

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        """Return the account's key for a mode, None when there is none.

        Raises:
            ExchangeUnavailableError: the store is sealed, unreachable, or lets nobody in now.
            CredentialsError: what is stored cannot be read.
        """
        try:
            stored = await asyncio.to_thread(self._secrets.exchange_key, account, mode)
        except SecretsError as error:
            kind = ExchangeUnavailableError if error.state in PASSING else CredentialsError
            raise kind(f"the key of {account} cannot be had: {error}") from None
        return Credentials(stored.key, stored.secret) if stored else None

    async def provider_secret(self, name: str) -> str | None:
        """Return a password or token of a mail server or provider, None when there is none.

        Raises:
            SecretsError: the store cannot be read now.
        """
        return await asyncio.to_thread(self._secrets.provider_secret, name)

    async def put(self, account: str, mode: Mode, credentials: Credentials) -> None:
        """Store an account's key for a mode in place of the one before.

        Raises:
            CredentialsError: the key is stored for another account.
            ExchangeUnavailableError: the store cannot be written.
        """
        key = ExchangeKey(credentials.key, credentials.secret)
        try:
            await asyncio.to_thread(self._secrets.put_exchange_key, account, mode, key)
        except ValueError as error:
            raise CredentialsError(str(error)) from None
        except SecretsError as error:
            raise ExchangeUnavailableError(f"the key cannot be stored: {error}") from None

    async def remove(self, account: str, mode: Mode) -> None:
        """Forget an account's key for a mode.

        Raises:
            ExchangeUnavailableError: the store cannot be written.
        """
        try:
            await asyncio.to_thread(self._secrets.remove_exchange_key, account, mode)
        except SecretsError as error:
            raise ExchangeUnavailableError(f"the key cannot be removed: {error}") from None
