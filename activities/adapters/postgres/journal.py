"""The journal (``ports.Journal``) over PostgreSQL, put together from its parts."""

from activities.adapters.postgres.accounts.account_journal import AccountJournal
from activities.adapters.postgres.accounts.capital_journal import CapitalJournal
from activities.adapters.postgres.accounts.day_journal import DayJournal
from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.adapters.postgres.governance.approval_journal import ApprovalJournal
from activities.adapters.postgres.governance.kill_switch_journal import KillSwitchJournal
from activities.adapters.postgres.governance.standing import GovernanceStanding
from activities.adapters.postgres.orders.order_journal import OrderJournal
from activities.adapters.postgres.orders.trade_journal import TradeJournal


class PostgresJournal(
    OrderJournal,
    TradeJournal,
    AccountJournal,
    KillSwitchJournal,
    DayJournal,
    CapitalJournal,
    ApprovalJournal,
    GovernanceStanding,
    SettingsJournal,
):
    """The record of one platform. Needs a Database of the role ``aether_app``.

    Every method may be repeated: what was committed before is not done twice. When the database
    cannot be reached they raise DatabaseUnavailableError, which a retry cures.
    """
