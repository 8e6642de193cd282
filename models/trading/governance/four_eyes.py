"""Two people mean two people: what a token of the machine asked for has no first one.

Whoever has a shell has the machine's token. If it counted as somebody, one person could ask with it
and agree as themselves. Trades are another matter: the token opens them in simulation only. A
person's own token asks for nothing of this either: whoever has stolen it is not that person.
"""

from typing import Final

from models.trading.governance.subjects import SUBJECTS, rule_of
from models.trading.verdicts import Check

PERSON: Final = "user/"
"""How the author of what a person does begins; the person's id follows."""
TAKES_TWO_PEOPLE: Final = frozenset(s for s, rule in SUBJECTS.items() if rule.by_person)


def check_asked_by_person(subject: str, requested_by: str) -> Check:
    """Require that a person has asked for what loosens a guard, so that another one can agree.

    Where the table says so, a schedule of the platform itself may have asked instead.
    """
    rule = rule_of(subject)
    passed = rule is not None and (
        not rule.by_person or requested_by.startswith(PERSON) or requested_by in rule.automatic
    )
    reason = f"{requested_by} has asked, which is no person: ask anew after signing in"
    return Check("approval", "person-required", passed, "a person has asked" if passed else reason)
