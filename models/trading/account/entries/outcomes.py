"""What becomes of a wish to enter: a command, a refusal, or a question to a person."""

from dataclasses import dataclass

from models.trading.account.facts import EnterTrade
from models.trading.account.state import AccountState
from models.trading.governance.approval import RequestApproval
from models.trading.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class EntryOutcome:
    """What became of a wish to enter; without ``command`` and ``ask`` it was refused."""

    state: AccountState
    verdict: Verdict
    command: EnterTrade | None = None
    ask: RequestApproval | None = None
