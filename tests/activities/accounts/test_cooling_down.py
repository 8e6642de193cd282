"""An account whose exchange must be left alone halts, says why, and is free afterwards."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from activities.accounts import stream as account_stream
from activities.accounts.stream import LOST_AFTER_SECONDS, StreamFollower, _is_quiet
from activities.ports.exchange_errors import (
    CoolingDown,
    CoolingDownError,
    ExchangeUnavailableError,
)
from models.contracts.workflows import AccountToFollow
from models.trading.account.decisions import decide
from models.trading.account.facts import ExchangeLost
from models.trading.account.state import AccountState, HaltKind
from tests.models.trading.trading_builders import an_account
from tests.support.fakes import FakeDirectory, FakeExchange, FakeJournal
from tests.support.market_fakes import FakeMessenger
from tests.support.temporal import eventually

START = datetime(2026, 3, 1, tzinfo=UTC)


def a_lockout(seconds: float = 30.0, kind: str = "lockout") -> CoolingDown:
    until = START + timedelta(seconds=seconds)
    reason = f"cooling down ({kind}) until {until:%H:%M:%S}: EGeneral:Temporary lockout"
    return CoolingDown(kind, reason, until, seconds)


class Locked(FakeExchange):
    """An exchange whose key is locked out for as long as a test says."""

    locked: CoolingDown | None = None
    asked = 0

    def cooling_down(self) -> CoolingDown | None:
        return self.locked

    def _answer(self) -> None:
        self.asked += 1
        if self.locked is not None:
            raise CoolingDownError(self.locked, self.locked.seconds)
        super()._answer()


@dataclass
class Account:
    """What an account makes of what it is told."""

    state: AccountState = field(default_factory=an_account)
    messenger: FakeMessenger = field(default_factory=FakeMessenger)

    def hear(self) -> None:
        while self.messenger.told:
            _, trade, fact = self.messenger.told.pop(0)
            if trade is None:
                self.state = decide(self.state, fact).state

    @property
    def halts(self) -> dict[HaltKind, str]:
        """Return the halts of the exchange's making, with their reasons."""
        self.hear()
        kinds = (HaltKind.COOLING_DOWN, HaltKind.NO_EXCHANGE)
        return {halt.kind: halt.reason for halt in self.state.halts if halt.kind in kinds}


@pytest.fixture
def clock():
    return [START]


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def exchange() -> Locked:
    exchange = Locked()
    exchange.hearing = True
    return exchange


@pytest.fixture
def following(exchange, account, clock, monkeypatch) -> StreamFollower:
    monkeypatch.setattr(account_stream, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(account_stream, "LONGEST_RETRY_SECONDS", 0.002)
    monkeypatch.setattr(account_stream, "SILENT_SECONDS", 0.01)
    directory = FakeDirectory()
    directory.exchanges["company"] = exchange
    request = AccountToFollow("company", ())
    return StreamFollower(request, directory, FakeJournal(), account.messenger, lambda: clock[0])


async def fail(following, clock, error, seconds=LOST_AFTER_SECONDS) -> None:
    """Have a failure last."""
    await following._failed(error)
    clock[0] += timedelta(seconds=seconds)
    await following._failed(error)


async def test_a_lockout_halts_with_its_reason_and_its_end(following, account, clock):
    lockout = a_lockout()
    await fail(following, clock, CoolingDownError(lockout, 30.0))
    assert account.halts == {HaltKind.COOLING_DOWN: lockout.reason}
    assert "until 00:00:30: EGeneral:Temporary lockout" in account.halts[HaltKind.COOLING_DOWN]


async def test_what_passes_in_a_moment_halts_nothing(following, account, clock):
    error = CoolingDownError(a_lockout(0.5, "requests"), 0.5)
    await fail(following, clock, error, LOST_AFTER_SECONDS - 0.1)
    assert account.halts == {}


async def test_an_exchange_that_is_merely_gone_is_no_cool_down(following, account, clock):
    await fail(following, clock, ExchangeUnavailableError("nobody there"))
    assert account.halts == {HaltKind.NO_EXCHANGE: "nobody there"}
    # What turns out to be a lockout is said, too.
    await fail(following, clock, CoolingDownError(a_lockout(), 30.0))
    assert set(account.halts) == {HaltKind.NO_EXCHANGE, HaltKind.COOLING_DOWN}


async def test_the_same_cool_down_is_told_once_and_another_kind_again(following, account, clock):
    for _ in range(5):
        await fail(following, clock, CoolingDownError(a_lockout(), 30.0))
    await fail(following, clock, CoolingDownError(a_lockout(60.0, "account"), 60.0))
    told = [fact.cooling for _, _, fact in account.messenger.told if isinstance(fact, ExchangeLost)]
    assert told == ["lockout", "account"]


async def test_an_account_is_halted_for_as_long_as_its_key_and_free_afterwards(
    following, exchange, account, clock
):
    keeping_up = asyncio.create_task(following._keep_up(exchange))
    following._behind.set()

    await eventually(lambda: following._told_ready, "the account is told that all is in order")
    assert account.halts == {}
    # Nobody asks anything of a quiet account: that its key is locked out is noticed all the same.
    exchange.locked = a_lockout()

    def halted():
        clock[0] += timedelta(seconds=0.5)
        return account.halts

    await eventually(halted, "the account is halted")
    assert account.halts == {HaltKind.COOLING_DOWN: exchange.locked.reason}
    exchange.locked = None
    await eventually(lambda: not account.halts, "the account is free again")
    keeping_up.cancel()
    with suppress(asyncio.CancelledError):
        await keeping_up


@pytest.mark.parametrize(
    ("cooling", "quiet"),
    [
        (None, False),
        (a_lockout(LOST_AFTER_SECONDS - 0.1), False),
        (a_lockout(LOST_AFTER_SECONDS), True),
    ],
)
def test_only_a_cool_down_that_lasts_makes_an_account_quiet(exchange, cooling, quiet):
    exchange.locked = cooling
    assert _is_quiet(exchange) is quiet
