"""What a request for a trade would come to now: decided by the same rules, carried out by nobody.

Pure: the account's state and the market are arguments, and the state is given back to no one.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading.account.decisions import measured
from models.trading.account.entries.decisions import consider, intent_of_request
from models.trading.account.entries.record import EntryRecord
from models.trading.account.facts import OpenRequested
from models.trading.account.state import AccountState
from models.trading.trade.figures import entry_price_bound
from models.trading.verdicts import Verdict

ZERO = Decimal(0)

PRICE_TOLERANCE = Decimal("0.002")
"""How far the price may have moved, as a share, for what was shown still to be what is done."""


@dataclass(frozen=True, slots=True)
class EntryPreview:
    """The outcome in figures; USD, ``quantity`` in base units. Zero where it is refused.

    Attributes:
        verdict: every check, each with its figure after the trade and its limit.
        price: what is paid for one unit at most, fees aside.
        value: ``quantity`` at that price with the taker's fee.
        loss: between that price and the stop with both fees, if the stop is filled at its price.
        waits: whether another person has to approve it first.
        record: caps, costs and versions of settings; None where it is refused.
    """

    verdict: Verdict
    symbol: str
    price: Decimal
    stop_price: Decimal
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    loss: Decimal = ZERO
    waits: bool = False
    record: EntryRecord | None = None


@dataclass(frozen=True, slots=True)
class PreviewSeen:
    """What a person saw when they confirmed: by it a preview is found out of date."""

    price: Decimal
    settings_version: int
    platform_version: int
    next_trade: int


def preview_entry(state: AccountState, fact: OpenRequested) -> EntryPreview:
    """Return what a request would come to in this state."""
    state = measured(state, fact).state
    intent = intent_of_request(state, fact)
    outcome = consider(state, replace(intent, approved=True))
    asked = fact.market.ask if fact.market is not None else ZERO
    price = fact.limit_price if fact.limit_price is not None else asked
    if outcome.command is None:
        return EntryPreview(outcome.verdict, fact.symbol, price, fact.stop_price)
    plan, record = outcome.command.plan, outcome.command.record
    assert fact.market is not None
    bound = entry_price_bound(plan.entry, max(fact.market.mid, fact.market.ask))
    quantity = plan.entry.quantity
    paid = quantity * bound * (1 + plan.fees.taker)
    approval = None if record is None else record.approval
    return EntryPreview(
        verdict=outcome.verdict,
        symbol=fact.symbol,
        price=bound,
        stop_price=plan.stop_price,
        quantity=quantity,
        value=paid,
        loss=paid - quantity * plan.stop_price * (1 - plan.fees.taker),
        waits=approval is not None and not approval.passed,
        record=record,
    )


def seen_now(state: AccountState, price: Decimal) -> PreviewSeen:
    """Return what a preview made now is later compared by."""
    return PreviewSeen(price, state.settings.version, state.platform.version, state.next_trade)


def differences(then: PreviewSeen, now: PreviewSeen) -> tuple[str, ...]:
    """Name everything that has changed since a preview; empty when it still holds."""
    found = []
    if then.price <= ZERO or abs(now.price - then.price) / then.price > PRICE_TOLERANCE:
        found.append(f"the price was {then.price:f} and is {now.price:f}")
    if then.settings_version != now.settings_version:
        found.append(
            f"the account's settings were version {then.settings_version} "
            f"and are {now.settings_version}"
        )
    if then.platform_version != now.platform_version:
        found.append(
            f"the platform's settings were version {then.platform_version} "
            f"and are {now.platform_version}"
        )
    if then.next_trade != now.next_trade:
        count = now.next_trade - then.next_trade
        found.append(f"{count} {'trade was' if count == 1 else 'trades were'} entered meanwhile")
    return tuple(found)
