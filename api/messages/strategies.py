"""What the API gives of strategies: what each is, who follows it, and what it has earned."""

from datetime import datetime

from api.messages.schemas import Money, Row


class EvidenceView(Row):
    """The results of one version from one source; shares of the price, ``mean_net`` after costs."""

    version: str
    source: str
    results: int
    mean_move: Money
    deviation: Money
    mean_net: Money
    newest_at: datetime


class StrategyView(Row):
    """One strategy; ``followed_by`` and ``evidence`` are of the accounts that the caller may see.

    ``interval_minutes`` is null for one that decides on whatever bars the market has.
    """

    name: str
    version: str
    standing: str
    interval_minutes: int | None
    rebalances: bool
    followed_by: list[str]
    evidence: list[EvidenceView]
