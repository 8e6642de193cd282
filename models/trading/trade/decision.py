"""What the decision on a fact of a trade returns: new state, commands, answer."""

from dataclasses import dataclass

from models.trading.answers import Answer
from models.trading.trade.facts import TradeCommand
from models.trading.trade.state import TradeState


@dataclass(frozen=True, slots=True)
class TradeDecision:
    """The outcome of one fact of a trade. Commands are carried out in order.

    ``answer`` is set on StopMoveRequested and CloseRequested only; its ``request_id`` is empty, for
    the trade's facts carry none: the shell knows what it answers.
    """

    state: TradeState
    commands: tuple[TradeCommand, ...]
    answer: Answer | None = None
