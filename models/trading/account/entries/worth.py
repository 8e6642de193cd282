"""Whether an entry is worth what it costs: fees, spread and slippage against its claim (R-6).

Fees are those of the account's own tier, which the exchange tells by pair; where it has not told
them, the published bottom tier stands in, the dearest there is, and the outcome says so. Slippage
is read from the book; where no book is seen, the account's assumed share stands in.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from models.trading.account.entries.basis import EntryBasis
from models.trading.account.entries.book_costs import DEPTH_SHARE, BookView, slippage_share
from models.trading.account.entries.claims import Claim, judge_claim
from models.trading.risk.limits import FeeRates
from models.trading.strategies.evidence import Expectation
from models.trading.universe.fees import BOTTOM_TIER
from models.trading.verdicts import Check, Verdict


class FeeSource(StrEnum):
    """Where fee rates come from."""

    ACCOUNT = "account"
    PUBLISHED_BOTTOM_TIER = "published_bottom_tier"


class SlippageSource(StrEnum):
    """Where slippage comes from."""

    BOOK = "book"
    DEPTH = "depth"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class WorthRequest:
    """What is judged; prices in USD per base unit, shares of the price.

    Attributes:
        quantity: base units to be bought, and sold again later.
        claim: by what the entry says that it is worth its costs.
        rates: the account's own rates for the pair, None when the exchange has not told them.
        book: the book seen now, None when there is none.
        maker_entry: the entry may only rest (post-only) and so pays the maker rate and no spread.
        assumed_slippage: share per side where no book is seen; also the least where only its depth
            is.
        depth_quantity: base units on offer within ``DEPTH_SHARE`` of the best price, None when not
            known.
        reward_to_cost_minimum: times the costs that the expectation must come to.
    """

    quantity: Decimal
    bid: Decimal
    ask: Decimal
    claim: Claim
    rates: FeeRates | None
    book: BookView | None
    assumed_slippage: Decimal
    reward_to_cost_minimum: Decimal
    maker_entry: bool = False
    depth_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EntryCosts:
    """Costs of entering and leaving, each as a share of the price."""

    entry_fee: Decimal
    exit_fee: Decimal
    spread: Decimal
    entry_slippage: Decimal
    exit_slippage: Decimal
    fee_source: FeeSource
    slippage_source: SlippageSource

    @property
    def total(self) -> Decimal:
        """Return the whole round trip as a share of the price."""
        slippage = self.entry_slippage + self.exit_slippage
        return self.entry_fee + self.exit_fee + self.spread + slippage


@dataclass(frozen=True, slots=True)
class EntryWorth:
    """The verdict and what it rests on; ``costs`` is None when the book is too thin."""

    verdict: Verdict
    costs: EntryCosts | None
    basis: EntryBasis = EntryBasis.UNSTATED
    expectation: Expectation | None = None


def judge_worth(request: WorthRequest) -> EntryWorth:
    """Compare what is claimed with what the round trip costs."""
    costs = estimate_costs(request)
    if costs is None:
        reason = f"the book does not hold {request.quantity} on both sides"
        return EntryWorth(
            Verdict((Check("R-6", "book-too-thin", passed=False, reason=reason),)), None
        )
    multiple = request.reward_to_cost_minimum
    judged = judge_claim(request.claim, costs.total, multiple, _basis(costs))
    return EntryWorth(Verdict((judged.check,)), costs, judged.basis, judged.expectation)


def estimate_costs(request: WorthRequest) -> EntryCosts | None:
    """Return the costs of the round trip, None when the book cannot take the quantity.

    The exit is a stop or a market order: taker, at today's bids.
    """
    rates = request.rates if request.rates is not None else BOTTOM_TIER
    told = request.rates is not None
    slippage = _slippage(request)
    if slippage is None:
        return None
    middle = (request.bid + request.ask) / 2
    spread = max(Decimal(0), request.ask - request.bid) / middle
    return EntryCosts(
        entry_fee=rates.maker if request.maker_entry else rates.taker,
        exit_fee=rates.taker,
        spread=spread / 2 if request.maker_entry else spread,
        entry_slippage=slippage[0],
        exit_slippage=slippage[1],
        fee_source=FeeSource.ACCOUNT if told else FeeSource.PUBLISHED_BOTTOM_TIER,
        slippage_source=_slippage_source(request),
    )


def _slippage(request: WorthRequest) -> tuple[Decimal, Decimal] | None:
    book, resting = request.book, request.maker_entry
    if book is None:
        assumed = max(request.assumed_slippage, _depth_slippage(request))
        return Decimal(0) if resting else assumed, assumed
    entry = Decimal(0) if resting else slippage_share(book.asks, request.quantity)
    leaving = slippage_share(book.bids, request.quantity)
    return None if entry is None or leaving is None else (entry, leaving)


def _depth_slippage(request: WorthRequest) -> Decimal:
    """Return what taking a quantity out of an even book of the visible depth costs, as a share.

    Filling it moves the price through ``quantity / depth`` of the way, and pays half of that.
    """
    depth = request.depth_quantity
    if depth is None or depth <= 0:
        return Decimal(0)
    return DEPTH_SHARE * request.quantity / depth / 2


def _slippage_source(request: WorthRequest) -> SlippageSource:
    if request.book is not None:
        return SlippageSource.BOOK
    seen = _depth_slippage(request) > request.assumed_slippage
    return SlippageSource.DEPTH if seen else SlippageSource.ASSUMED


def _basis(costs: EntryCosts) -> str:
    notes = []
    if costs.fee_source is not FeeSource.ACCOUNT:
        notes.append("fees of the published bottom tier")
    if costs.slippage_source is SlippageSource.DEPTH:
        notes.append("slippage from the depth")
    if costs.slippage_source is SlippageSource.ASSUMED:
        notes.append("slippage assumed")
    return f" ({', '.join(notes)})" if notes else ""
