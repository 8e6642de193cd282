"""What the API gives of the universe and the correlation groups."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.messages.bodies import Name, Reason, RequestBody
from api.messages.schemas import CheckMade, Money, Row
from models.trading.universe.pairs import UniversePair, UniverseProposal


class Pair(Row):
    """A pair of the universe; ``standing`` ``leaving`` takes no entries and stays protected."""

    symbol: str
    bucket: str
    quantity_minimum: Money
    cost_minimum: Money
    status: str
    standing: str


class UniverseInForce(BaseModel):
    """The universe. ``approved_by`` ``installation`` means that no person has approved it yet."""

    version: int
    author: str
    approved_by: str
    reason: str
    at: datetime
    refreshed_at: datetime
    pairs: list[Pair]


class UniverseVersion(Row):
    """One version: who made it, who agreed, what joined and left."""

    version: int
    author: str
    approved_by: str
    reason: str
    joins: list[str]
    leaves: list[str]
    at: datetime


class PairVerdict(BaseModel):
    """What the rules say of one pair that the exchange lists."""

    symbol: str
    allowed: bool
    checks: list[CheckMade]


class Proposal(BaseModel):
    """What the rules would change, for people to decide on."""

    number: int
    based_on: int
    at: datetime
    joins: list[Pair]
    leaves: list[str]
    verdicts: list[PairVerdict]


class UniverseChangeView(Row):
    """A change that somebody asked for; ``outcome`` is waiting, applied or refused."""

    number: int
    version: int
    joins: list[str]
    leaves: list[str]
    author: str
    reason: str
    at: datetime
    outcome: str
    decided_by: str | None
    decided_at: datetime | None


class ChangeUniverse(RequestBody):
    """Pairs to take in (they must be proposed) and to take out; another person has to agree."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "anyOf": [
                {"required": [field], "properties": {field: {"minItems": 1}}}
                for field in ("joins", "leaves")
            ]
        },
    )

    reason: Reason
    joins: tuple[Name, ...] = Field(default=(), max_length=1000)
    leaves: tuple[Name, ...] = Field(default=(), max_length=1000)


class Correlation(BaseModel):
    """One estimate; ``sample`` is None where it could not be computed."""

    first: str
    second: str
    value: float
    sample: float | None
    returns: int


class Group(BaseModel):
    """Pairs that count as one risk."""

    name: str
    symbols: list[str]


class CorrelationsView(BaseModel):
    """The newest computation; ``market_time`` is the end of the newest bar used."""

    number: int
    at: datetime
    market_time: datetime | None
    target: float
    groups: list[Group]
    estimates: list[Correlation]


def pair_view(pair: UniversePair) -> Pair:
    """Show a pair."""
    return Pair.model_validate(pair)


def proposal_view(number: int, at: datetime, proposal: UniverseProposal) -> Proposal:
    """Show a proposal with the verdict on every pair."""
    return Proposal(
        number=number,
        based_on=proposal.based_on,
        at=at,
        joins=[pair_view(pair) for pair in proposal.join],
        leaves=list(proposal.leave),
        verdicts=[
            PairVerdict(
                symbol=symbol,
                allowed=verdict.allowed,
                checks=[
                    CheckMade(rule=c.rule, code=c.code, passed=c.passed, reason=c.reason)
                    for c in verdict.checks
                ],
            )
            for symbol, verdict in sorted(proposal.verdicts.items())
        ],
    )
