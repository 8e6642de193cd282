"""Two people mean two people: what a token of the machine asked for has no first one.

Whoever has a shell has the machine's token. If it counted as somebody, one person could ask with it
and agree as themselves. Trades are another matter: the token opens them in simulation only.
"""

from typing import Final

from models.trading.governance.approval import CHANGE_SETTINGS, GO_LIVE, RAISE_LIMIT
from models.trading.verdicts import Check

PERSON: Final = "user/"
"""How the author of what a person does begins; the person's id follows."""
UNIVERSE: Final = "universe"
TAKES_TWO_PEOPLE: Final = frozenset({RAISE_LIMIT, GO_LIVE, CHANGE_SETTINGS, UNIVERSE})


def check_asked_by_person(subject: str, requested_by: str) -> Check:
    """Require that a person has asked for what loosens a guard, so that another one can agree."""
    passed = subject not in TAKES_TWO_PEOPLE or requested_by.startswith(PERSON)
    reason = f"{requested_by} has asked, which is no person: ask anew after signing in"
    return Check("approval", "person-required", passed, "a person has asked" if passed else reason)
