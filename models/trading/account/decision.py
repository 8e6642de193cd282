"""What the decision on a fact of an account returns: new state, commands, answer."""

from dataclasses import dataclass

from models.trading.account.facts import AccountCommand
from models.trading.account.state import AccountState
from models.trading.answers import Answer


@dataclass(frozen=True, slots=True)
class AccountDecision:
    """The outcome of one fact of an account. Commands are carried out in order."""

    state: AccountState
    commands: tuple[AccountCommand, ...]
    answer: Answer | None = None
