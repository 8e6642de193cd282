"""Live keys in memory, with what each may do, and the activities of modes over a real record."""

from datetime import UTC, datetime

from activities.accounts.modes import ModeActivities
from activities.adapters.postgres.accounts.exchange_keys import PostgresExchangeKeys
from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.governance.standing import GovernanceStanding
from activities.adapters.postgres.journal import PostgresJournal
from activities.ports.secrets import Credentials
from models.trading.risk.limits import Mode


class LiveKeys:
    """Secrets and key inspector at once; tests add keys and settings' versions."""

    def __init__(self):
        self.keys = {}
        self.may = {}
        self.versions = {}
        self.unprotected = ""

    async def exchange_credentials(self, account, mode):
        return self.keys.get(account) if mode is Mode.LIVE else Credentials("sim", account)

    async def permissions(self, account):
        return self.may.get(account)

    async def record_fault(self):
        return self.unprotected

    async def recorded(self, account, key, database):
        """Let an account have a live key that the record knows, as after an upload."""

        async def put():
            self.keys[account] = key

        await PostgresExchangeKeys(database).store(
            account, Mode.LIVE, key.key, frozenset(), "user/tester", datetime.now(UTC), put
        )

    def mode_activities(self, database, directory):
        async def limits_version(account):
            known = self.versions.get(account)
            return known or await PostgresJournal(database).limits_version(account)

        return ModeActivities(
            PostgresModes(database),
            self,
            self,
            directory,
            database.accounts,
            limits_version,
            lambda: datetime.now(UTC),
            record_fault=self.record_fault,
            held_by_freeze=GovernanceStanding(database).held_by_freeze,
            market_is_live=True,
        )
