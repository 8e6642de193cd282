"""What is previewed is what is done; and a preview that holds no more names why."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.trading.account.decisions import decide
from models.trading.account.entries.entry_preview import (
    PreviewSeen,
    differences,
    preview_entry,
    seen_now,
)
from models.trading.account.facts import EnterTrade
from tests.models.trading.account.test_account_approvals import a_request, careful
from tests.models.trading.trading_builders import an_account

THEN = PreviewSeen(Decimal(50000), 3, 5, 7)


@pytest.mark.parametrize("quantity", [Decimal("0.02"), Decimal("0.05")])
def test_preview_is_what_is_entered(quantity):
    state, request = an_account(), replace(a_request(), quantity=quantity)
    found = preview_entry(state, request)
    (entered,) = [c for c in decide(state, request).commands if isinstance(c, EnterTrade)]
    assert found.verdict == entered.verdict
    assert found.verdict.allowed
    assert found.quantity == entered.plan.entry.quantity > 0
    assert found.stop_price == entered.plan.stop_price
    assert found.record == entered.record
    assert found.loss > found.quantity * (found.price - found.stop_price)
    assert found.value > found.quantity * found.price


def test_refusal_is_previewed_with_every_failed_check():
    state, request = an_account(cash="10"), a_request()
    found = preview_entry(state, request)
    assert not found.verdict.allowed
    assert found.verdict == decide(state, request).answer.verdict
    assert (found.quantity, found.record) == (Decimal(0), None)


def test_what_another_person_has_to_approve_is_previewed_as_waiting():
    found = preview_entry(careful(), a_request())
    assert found.verdict.allowed
    assert found.waits
    assert not preview_entry(an_account(), a_request(quantity="0.01")).waits


def test_preview_holds_while_nothing_has_changed():
    state = an_account()
    assert differences(seen_now(state, Decimal(50000)), seen_now(state, Decimal(50050))) == ()


@pytest.mark.parametrize(
    ("now", "named"),
    [
        (replace(THEN, price=Decimal(50101)), "price"),
        (replace(THEN, price=Decimal(49899)), "price"),
        (replace(THEN, settings_version=4), "account's settings"),
        (replace(THEN, platform_version=6), "platform's settings"),
        (replace(THEN, next_trade=8), "1 trade was entered"),
        (replace(THEN, next_trade=9), "2 trades were entered"),
    ],
)
def test_what_has_changed_is_named(now, named):
    (difference,) = differences(THEN, now)
    assert named in difference
