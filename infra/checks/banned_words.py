"""The words that are banned, and what to say instead."""

from typing import Final

BANNED: Final[dict[str, str]] = {
    "account to save": "save account",
    "ask orders": "resolve order status",
    "at leisure": "throttled",
    "errand": "background task",
    "errands": "background tasks",
    "expected news": "pending expectations",
    "intend and place": "submit_once",
    "kept level": "persisted counter",
    "lesser": "degraded mode; smaller",
    "market clockwork": "market-time scheduler",
    "market rules told": "universe updated",
    "moment came": "timer_fired",
    "moment index": "timer index",
    "order to place": "submit order",
    "part sale": "partial exit",
    "platform setting row": "installation row",
    "shared read": "coalesced read",
    "should rest": "should_continue_as_new",
    "sole process": "leader lock",
    "stream memory": "order cache",
    "trade to save": "save trade",
    "trades to tell": "signal trades",
    "unbroken stretch": "stream epoch",
    "yielding start": "delayed start",
    "inquiry": "order-status resolution",
    "inquiries": "order-status resolution",
}
"""Lower case, the parts of a name with spaces between them."""
