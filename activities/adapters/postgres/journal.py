"""The journal (``ports.Journal``) over PostgreSQL, put together from its parts."""

from activities.adapters.postgres.account_journal import AccountJournal
from activities.adapters.postgres.approval_journal import ApprovalJournal
from activities.adapters.postgres.capital_journal import CapitalJournal
from activities.adapters.postgres.day_journal import DayJournal
from activities.adapters.postgres.kill_switch_journal import KillSwitchJournal
from activities.adapters.postgres.order_journal import OrderJournal
from activities.adapters.postgres.settings_journal import SettingsJournal
from activities.adapters.postgres.trade_journal import TradeJournal


class PostgresJournal(
    OrderJournal,
    TradeJournal,
    AccountJournal,
    KillSwitchJournal,
    DayJournal,
    CapitalJournal,
    ApprovalJournal,
    SettingsJournal,
):
    """The record of one platform. Needs a Database of the role ``aether_app``.

    Every method may be repeated: what was committed before is not done twice. When the database
    cannot be reached they raise DatabaseUnavailableError, which a retry cures.
    """
