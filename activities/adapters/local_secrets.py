"""The Secrets port on the encrypted local store."""

from activities.ports.secrets import Credentials
from infra.runtime.secrets import LocalSecretStore
from models.trading.risk.limits import Mode


class LocalSecrets:
    """Hands out exchange credentials from the local store."""

    def __init__(self, store: LocalSecretStore) -> None:
        self._store = store

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        """Return the account's key for a mode, None when there is none."""
        stored = self._store.exchange_key(account, mode)
        return Credentials(stored.key, stored.secret) if stored else None
