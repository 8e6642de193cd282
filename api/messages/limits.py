"""The shape of an account's limits on losses and open risk."""

from datetime import datetime

from api.messages.schemas import Money, Row


class LimitView(Row):
    """One limit and how near the account is to it; shares are of equity.

    ``used`` is the share as a part of the hard level, null while it is not known: then, as from 1
    on, entries are refused.
    """

    name: str
    subject: str
    share: Money | None
    soft: Money | None
    hard: Money
    used: Money | None
    halted_at: datetime | None
    resets: str
    refuses: bool
