"""Taking rotated keys up while trading, validating those in use, and reminding of old ones."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from activities.adapters.kraken.directory import KrakenDirectory
from activities.adapters.postgres.accounts.exchange_keys import PostgresExchangeKeys
from activities.metrics import KEY_AGE, KEY_FAULT
from activities.ports.exchange_errors import ExchangeError
from activities.ports.secrets import KeptKey
from models.trading.governance.exchange_keys import (
    IN_USE,
    age,
    judge_permissions,
    reminder_is_due,
)

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
VALIDATE_EVERY = timedelta(minutes=10)
BY = "aether"
CHECK = "aether keys check"


class KeyWatch:
    """Looks after the keys of the accounts that trade in this process."""

    def __init__(
        self,
        exchanges: KrakenDirectory,
        record: PostgresExchangeKeys,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._exchanges = exchanges
        self._record = record
        self._clock = clock
        self._faults: dict[str, str] = {}

    async def run(self) -> None:
        """Look for ever; what cannot be done now is tried again."""
        while True:
            for account in list(self._exchanges.opened()):
                try:
                    await self.look(account)
                except ConnectionError as error:
                    log.warning("keys are not looked after", account=account, error=str(error))
                except Exception:
                    # One account's trouble must not end the watch over the others.
                    log.exception("keys are not looked after", account=account)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, account: str) -> None:
        """Take a rotated key up, and bring the record of the key in use up to date."""
        known = await self._known(account)
        try:
            # A key that reached the store and not the record, where it takes two people, is none.
            took = await self._exchanges.take_up_key(
                account, lambda key: not known or any(kept.is_of(key) for kept in known)
            )
            if took is not None:
                log.info("a rotated key is in use", account=account)
            fault = ""
        except ExchangeError as error:
            fault = f"{error}: {CHECK} {account}"
        found = self._exchanges.key_in_use(account)
        for kept in known if found is not None else ():
            assert found is not None
            if kept.is_of(found[1]):
                await self._keep(kept)
            elif not fault:
                fault = f"the key in use is not the one in the record: {CHECK} {account}"
        self._note(account, fault)

    async def _known(self, account: str) -> list[KeptKey]:
        """Return the key in use by the record, for the mode that the account trades in."""
        found = self._exchanges.key_in_use(account)
        kept = [] if found is None else await self._record.keys(account)
        return [key for key in kept if found and key.mode is found[0] and key.state == IN_USE]

    async def _keep(self, kept: KeptKey) -> None:
        now = self._clock()
        days = age(kept.stored_at, now).days
        KEY_AGE.labels(kept.account, kept.mode.value).set(days)
        if kept.trading_since is None:
            await self._record.taken_up(kept, now)
        if now - kept.validated_at >= VALIDATE_EVERY:
            await self._validate(kept, now)
        if reminder_is_due(kept.stored_at, kept.reminded_at, now):
            log.warning("an exchange key is old", account=kept.account, days=days)
            await self._record.reminded(kept, days, now)

    async def _validate(self, kept: KeptKey, now: datetime) -> None:
        exchange = self._exchanges.opened().get(kept.account)
        if exchange is None:
            return
        try:
            permissions = await exchange.signing.permissions()
        except ExchangeError as error:
            if not error.raw.startswith(("EAPI:", "EAuth:", "EGeneral:Permission")):
                return  # nobody can tell now: the time of the last validation says so
            await self._record.validated(kept, None, "key-unknown", BY, now)
        else:
            code = judge_permissions(permissions).code
            await self._record.validated(kept, permissions, code, BY, now)

    def _note(self, account: str, fault: str) -> None:
        """Publish, and log once, that a stored key is not taken up."""
        KEY_FAULT.labels(account).set(1.0 if fault else 0.0)
        if fault and self._faults.get(account) != fault:
            log.error("the stored key and the one in use differ", account=account, why=fault)
        self._faults[account] = fault
