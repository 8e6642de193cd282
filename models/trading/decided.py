"""What the two decide functions return: the new state, what to do, and the answer to a request."""

from dataclasses import dataclass

from models.trading.account_facts import AccountCommand, Answer
from models.trading.account_state import AccountState
from models.trading.trade_facts import TradeCommand
from models.trading.trade_state import TradeState


@dataclass(frozen=True, slots=True)
class TradeDecision:
    """The outcome of one fact of a trade. Commands are carried out in order.

    ``answer`` is set on StopMoveRequested and CloseRequested only; its ``request_id`` is empty, for
    the trade's facts carry none: the shell knows what it answers.
    """

    state: TradeState
    commands: tuple[TradeCommand, ...]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class AccountDecision:
    """The outcome of one fact of an account. Commands are carried out in order."""

    state: AccountState
    commands: tuple[AccountCommand, ...]
    answer: Answer | None = None
