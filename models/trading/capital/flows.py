"""What an account is worth, what was brought in or taken out, and what trading made of it.

Returns are time-weighted (Global Investment Performance Standards): the value before each flow over
the value after the one before, chained. A deposit or a withdrawal changes no return.
"""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.trading.capital.ledger_kinds import LedgerMeaning, ledger_meaning
from models.trading.risk.drawdown import MEASURED_MINIMUM
from models.trading.verdicts import Check, Verdict

ZERO = Decimal(0)
ONE = Decimal(1)

FLOW_KINDS = frozenset({"deposit", "withdrawal", "transfer"})
"""Kraken's ledger types that are read one by one where the whole ledger was never read."""


class FlowSource(StrEnum):
    """How a flow became known."""

    LEDGER = "ledger"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One booking of the exchange in units of its asset; the balance moves by amount - fee."""

    ledger_id: str
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    at: datetime
    subtype: str = ""

    @property
    def change(self) -> Decimal:
        """Return by how much the balance moved."""
        return self.amount - self.fee

    @property
    def words(self) -> str:
        """Return type and subtype as people read them: ``earn/reward``."""
        return f"{self.kind}/{self.subtype}" if self.subtype else self.kind


@dataclass(frozen=True, slots=True)
class CapitalFlow:
    """What came in (positive) or went out (negative) other than by trading.

    Attributes:
        flow_id: the ledger's id, or that of the request by hand: a flow counts once.
        amount: change of the balance in units of the asset, transfer fees inside.
        value: capital brought in, in USD at the price when it arrived; zero for income, which
            capital earned and which counts as profit, and for what has no price here at all.
    """

    flow_id: str
    asset: str
    amount: Decimal
    value: Decimal
    at: datetime
    source: FlowSource
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecognisedFlows:
    """New flows, oldest first, and lines that wait for a price of their asset.

    ``unknown`` are lines of a type without a meaning: counted or waiting, and to be shown.
    """

    flows: tuple[CapitalFlow, ...]
    unpriced: tuple[LedgerLine, ...] = ()
    unknown: tuple[LedgerLine, ...] = ()


@dataclass(frozen=True, slots=True)
class NavPoint:
    """A value in USD right after ``flow`` (USD, zero for a mere look) came in or went out."""

    at: datetime
    value: Decimal
    flow: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class NavBaseline:
    """A value that profit is measured from, with the reason why it was set."""

    at: datetime
    value: Decimal
    reason: str


def recognise_flows(
    lines: Sequence[LedgerLine],
    known: Collection[str],
    prices: Mapping[str, Decimal],
    unpriceable: Collection[str] = (),
) -> RecognisedFlows:
    """Return what of a ledger moved balances other than by trading and was not counted before.

    ``prices`` are in USD by ledger id. The whole change of the balance is the flow: what a bank or
    a network takes for a transfer is no loss of trading. A line in an asset without a price
    waits, for it cannot be valued; one in an asset of ``unpriceable``, which no pair values, moves
    the balance and brings no capital.
    """
    flows, unpriced, unknown, seen = [], [], [], set(known)
    new = [line for line in lines if line.ledger_id not in seen]
    cancelled = cancelled_moves(new)
    for line in sorted(new, key=lambda line: (line.at, line.ledger_id)):
        meaning = ledger_meaning(line.kind, line.subtype)
        counts = meaning is not LedgerMeaning.TRADE and line.ledger_id not in cancelled
        if not counts or line.ledger_id in seen:
            continue
        seen.add(line.ledger_id)
        if meaning is LedgerMeaning.UNKNOWN:
            unknown.append(line)
        price = ONE if line.asset == "USD" else prices.get(line.ledger_id)
        if meaning is LedgerMeaning.INCOME or line.asset in unpriceable:
            price = ZERO
        if price is None:
            unpriced.append(line)
            continue
        flows.append(_flow_of(line, price))
    return RecognisedFlows(tuple(flows), tuple(unpriced), tuple(unknown))


def _flow_of(line: LedgerLine, price: Decimal) -> CapitalFlow:
    return CapitalFlow(
        flow_id=line.ledger_id,
        asset=line.asset,
        amount=line.change,
        value=line.change * price,
        at=line.at,
        source=FlowSource.LEDGER,
        author="exchange",
        note=line.words,
    )


def cancelled_moves(lines: Sequence[LedgerLine]) -> frozenset[str]:
    """Return the ids of moves whose two halves cancel out: the asset's total stays as it was.

    Halves are found by asset and amount: not every move of Kraken's carries one reference for both.
    A half whose other is in a wallet that does not count as the asset (``DOT.S``) stays alone: it
    takes capital out of what is at hand, or brings it back.
    """
    waiting: dict[tuple[str, Decimal], list[str]] = {}
    cancelled: set[str] = set()
    for line in {line.ledger_id: line for line in lines}.values():
        if ledger_meaning(line.kind, line.subtype) is not LedgerMeaning.MOVE:
            continue
        partners = waiting.get((line.asset, -line.change))
        if partners:
            cancelled |= {partners.pop(0), line.ledger_id}
        else:
            waiting.setdefault((line.asset, line.change), []).append(line.ledger_id)
    return frozenset(cancelled)


def judge_flow_by_hand(flow: CapitalFlow, balance: Decimal, *, simulated: bool) -> Verdict:
    """Tell whether a flow may be recorded by hand: simulated, by somebody, within the balance."""
    usable = flow.amount.is_finite() and flow.amount != ZERO
    left = balance + flow.amount if usable else ZERO
    moved = f"{flow.amount} {flow.asset}"
    return Verdict(
        (
            Check("S-2", "not-simulated", simulated, "only simulated capital is moved by hand"),
            Check("G-2", "invalid-flow", bool(flow.author.strip()), "a flow has an author"),
            Check("R-5", "invalid-flow", usable, f"an amount other than zero: {moved}"),
            Check(
                "R-5",
                "insufficient-balance",
                left >= ZERO,
                f"{moved} against a balance of {balance}",
                flow.amount,
                balance,
            ),
        )
    )


def time_weighted_return(points: Sequence[NavPoint]) -> Decimal:
    """Return the return over points in order of time, as a share (0.01 is one percent).

    Exact when every flow has its point; a link that starts below one USD is left out.
    """
    growth = ONE
    for earlier, later in itertools.pairwise(points):
        if earlier.value >= MEASURED_MINIMUM:
            growth *= (later.value - later.flow) / earlier.value
    return growth - ONE


def profit_since(baseline: NavBaseline, value: Decimal, flows: Sequence[CapitalFlow]) -> Decimal:
    """Return USD that trading made since a baseline: what is more, less what was brought in."""
    brought = sum((flow.value for flow in flows if flow.at > baseline.at), ZERO)
    return value - baseline.value - brought


def merge_points(accounts: Sequence[Sequence[NavPoint]]) -> tuple[NavPoint, ...]:
    """Return the values of all accounts together, from when each of them is known.

    An account that joins brings its first value in as a flow, so that it is no gain of the whole.
    """
    rows = sorted(
        (point.at, number, place, point)
        for number, points in enumerate(accounts)
        for place, point in enumerate(points)
    )
    latest: dict[int, Decimal] = {}
    merged: list[NavPoint] = []
    for at, number, _, point in rows:
        flow = point.flow if number in latest else point.value
        latest[number] = point.value
        merged.append(NavPoint(at, sum(latest.values(), ZERO), flow))
    return tuple(merged)
