"""Whether the limit price of an entry is one that somebody can have meant."""

from decimal import Decimal

from models.trading.account.entries.preconditions import EntryIntent
from models.trading.verdicts import Check


def check_limit(intent: EntryIntent, fat_finger: Decimal) -> Check | None:
    """Refuse a limit far through the market: it would buy whatever the book holds up to there.

    Args:
        intent: the entry; only a limit order has a limit.
        fat_finger: how far above the ask the limit may lie, as a share of the ask.
    """
    limit, market = intent.limit_price, intent.market
    if limit is None or market is None:
        return None
    most = market.ask * (1 + fat_finger)
    if limit <= most:
        return None
    share = (limit - market.ask) / market.ask
    reason = f"limit {limit} is {share:.2%} above the ask {market.ask}, at most {fat_finger:.2%}"
    return Check("R-1", "limit-through-market", False, reason, share, fat_finger)  # noqa: FBT003
