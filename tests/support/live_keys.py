"""Live keys in memory, with what each may do, and the activities of modes over a real record."""

from datetime import UTC, datetime

from activities.accounts.modes import ModeActivities
from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.governance.standing import GovernanceStanding
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

    async def limits_version(self, account):
        return self.versions.get(account)

    async def record_fault(self):
        return self.unprotected

    def mode_activities(self, database, directory):
        return ModeActivities(
            PostgresModes(database),
            self,
            self,
            directory,
            database.accounts,
            self.limits_version,
            lambda: datetime.now(UTC),
            record_fault=self.record_fault,
            held_by_freeze=GovernanceStanding(database).held_by_freeze,
            market_is_live=True,
        )
