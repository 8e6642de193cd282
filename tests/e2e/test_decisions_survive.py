"""A stack comes up, is killed whole, goes on from there, and goes down.

What people and rules have decided outlives ``kill -9`` of every process at once. Everything is
killed right after the last answer: what was answered may wait for nothing more.
"""

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.stack.programs.held_programs import living
from tests.e2e.kills import ALL, Killer
from tests.e2e.people import Person
from tests.support.own_stack import OwnStack, wait_until
from tests.support.stack_people import StackPerson

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

COMPANY, HALTED, FALLEN = "/accounts/company", "/accounts/director-1", "/accounts/director-2"
LOOK = "we look at it first"
LEVELS = ("drawdown.soft_share", "drawdown.hard_share", "drawdown.total_share")
WANTED: dict[str, dict[str, Any]] = {
    COMPANY: {"approval.value_minimum": "100", "approval.price_tolerance": "0.2"},
    FALLEN: dict.fromkeys(LEVELS, "0.001"),
    "": {"compliance.sanctioned": ["SOL"]},
}
PROCESSES = {
    "postgres", "temporal", "exchange", "fork-server",
    "trading", "trading-standby", "market", "api", "notifications", "research", "keeper",
}  # fmt: skip
TOKEN = "machine's own token"
LINK = "/set-up#"
OVERRIDE_SECONDS = 200
"""Market time that an override holds: some twenty seconds, longer than a start takes."""
LATE = timedelta(seconds=60)
"""Market time after its end by which an override must be gone: six seconds at this speed."""


@pytest.fixture
def people(stack: OwnStack) -> Iterator[tuple[Person, Person]]:
    """Two people who have signed in."""
    both = Person(stack, StackPerson(stack, "first")), Person(stack, StackPerson(stack, "second"))
    yield both
    for person in both:
        person.leave()


def test_first_start_tells_its_token_and_all_that_runs(stack: OwnStack) -> None:
    assert TOKEN in stack.said_at_start
    assert LINK in stack.said_at_start
    first = stack.json("status")
    assert {process["name"] for process in first["processes"]} == PROCESSES
    accounts = [account["account"] for account in first["accounts"]]
    assert sorted(accounts) == ["company", "director-1", "director-2"]
    assert any("Vault" in words for words in first["degraded_modes"])


def test_halts_overrides_approvals_and_settings_outlive_everything(
    stack: OwnStack, people: tuple[Person, Person]
) -> None:
    first, second = people
    killer = Killer(stack)
    killer.await_entries()
    versions = change_settings(first, second)
    fallen = lose_a_little(first)
    waiting = ask_for_a_large_trade(first)
    override = {"share": "0.4", "reason": "storm ahead", "expires_after_seconds": OVERRIDE_SECONDS}
    first.do(f"{HALTED}/hedge/override", override)
    first.do(f"{HALTED}/halt", {"reason": LOOK})
    for pid in killer.processes(ALL):
        os.kill(pid, signal.SIGKILL)
    up = stack.aether("up")
    assert up.returncode == 0, up.stderr
    assert TOKEN not in up.stderr
    again = stack.json("status")
    assert {one["name"] for one in again["processes"] if one["ready"]} == PROCESSES

    assert open_trade(first, HALTED, Decimal("0.001"))["code"] == "account-halted"
    assert open_trade(first, FALLEN, Decimal("0.001"))["code"].endswith("-drawdown")
    wait_until(lambda: halts(first, HALTED).get("requested", ("", ""))[0] == LOOK, "halted", 20)
    assert halts(first, FALLEN) == fallen
    settings_stand(first, versions)
    override_is_over_in_time(first)
    own = first.ask(f"/approvals/{waiting}/approve", {})
    assert own["code"] == "second-person-needed"
    granted = second.do(f"/approvals/{waiting}/approve", {"reason": "seen and good"})
    assert granted["trade"] is not None, granted
    wait_until(lambda: is_held(stack, granted["trade"]), "what was approved is held", 20)
    assert first.see(f"/approvals/{waiting}")["status"] == "approved"
    wait_until(lambda: stack.aether("verify").returncode == 0, "nothing is found", 30)
    assert actions(first, "director-1").count("halted") == 1
    assert actions(first, "director-1").count("hedge_overridden") == 1
    assert actions(first, "company").count("trade_waits_for_approval") == 1
    killer.stop()
    leave_as_found(first, second, granted["trade"])


def test_stack_refuses_another_market_and_goes_down(stack: OwnStack) -> None:
    elsewhere = OwnStack(stack.home, stack.port_base, MARKET="kraken")
    refused = elsewhere.aether("up")
    assert refused.returncode == 2
    assert "belongs to the market generated" in refused.stderr

    assert stack.aether("down").returncode == 0
    # What a start begins before it knows that it is refused must not stay behind.
    assert elsewhere.aether("up").returncode == 2
    assert living(stack.home / "run") == {}
    gone = stack.aether("status")
    assert gone.returncode == 2
    assert gone.stderr.strip() == "error: the stack is not running: aether up"


def change_settings(person: Person, other: Person) -> dict[str, int]:
    """Give three owners settings of their own; return the versions by path.

    What loosens the guards themselves takes two people.
    """
    versions: dict[str, int] = {}
    for path, updates in WANTED.items():
        body = {"updates": updates, "reason": "as agreed", "confirm": True}
        answer = person.do(f"{path}/settings", body)
        if answer.get("approval"):
            agree(other, answer["approval"])
            wait_until(lambda p=path: person.see(f"{p}/settings")["version"] > 0, "changed", 20)
            answer = person.see(f"{path}/settings")
        versions[path] = answer["version"]
    return versions


def agree(person: Person, approval: str) -> None:
    """Approve a request; the record shows it a moment after it was answered."""
    path = f"/approvals/{approval}/approve"
    wait_until(lambda: person.ask(path, {"reason": "agreed"})["code"] == "accepted", "agreed", 20)


def settings_stand(person: Person, versions: dict[str, int]) -> None:
    """Check that each version is the newest, written once, and in force as it was asked for."""
    for path, version in versions.items():

        def is_written(path: str = path, version: int = version) -> bool:
            shown: bool = person.see(f"{path}/settings")["version"] == version
            return shown

        wait_until(is_written, f"version {version} of {path} is written", 20)
        values = person.see(f"{path}/settings")["values"]
        assert {name: values[name] for name in WANTED[path]} == WANTED[path]
        written = [row["version"] for row in person.see(f"{path}/settings/versions")]
        assert written == sorted(set(written), reverse=True)


def lose_a_little(person: Person) -> dict[str, tuple[str, str]]:
    """Buy until the fees alone have reached the hard levels; return the halts."""
    kinds = {"daily_drawdown", "total_drawdown"}
    for _ in range(4):
        answer = open_trade(person, FALLEN, Decimal("0.2"), stop=Decimal("0.995"))
        if answer["code"] != "accepted":
            break
    wait_until(lambda: kinds <= halts(person, FALLEN).keys(), "the drawdown halts", 20)
    return halts(person, FALLEN)


def halts(person: Person, account: str) -> dict[str, tuple[str, str]]:
    """Return why an account is halted, and since when, by kind."""
    return {h["kind"]: (h["reason"], h["since"]) for h in person.see(account)["halts"]}


def actions(person: Person, account: str) -> list[str]:
    """Return the actions of an account's audit chain, newest first."""
    return [row["action"] for row in person.see(f"/audit/{account}?limit=500")]


def ask_for_a_large_trade(person: Person) -> str:
    """Ask for a trade that waits for a second person; return the request's id."""
    answer = open_trade(person, COMPANY, Decimal("0.01"))
    assert answer["code"] == "waiting-for-approval", answer
    approval = answer["approval"]
    assert isinstance(approval, str)
    return approval


def open_trade(
    person: Person, account: str, share: Decimal, stop: Decimal = Decimal("0.95")
) -> dict[str, Any]:
    """Ask for a trade in bitcoin of a share of equity."""
    symbols = person.see("/status")["market"]["symbols"]
    (price,) = (Decimal(row["last"]) for row in symbols if row["symbol"] == "BTC/USD")
    value = Decimal(person.see(account)["equity"]) * share
    body = {
        "symbol": "BTC/USD",
        "quantity": str((value / price).quantize(Decimal("0.00001"))),
        "stop_price": str((price * stop).quantize(Decimal("0.1"))),
    }
    return person.ask(f"{account}/trades", body)


def override_is_over_in_time(person: Person) -> None:
    """See the override in force still, and over at its time by the market's clock."""
    (set_by_hand,) = (
        row for row in person.see("/audit/director-1") if row["action"] == "hedge_overridden"
    )
    expires = datetime.fromisoformat(set_by_hand["details"]["expires_at"])

    def reviews() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = person.see(f"{HALTED}/hedge/history")
        return found

    wait_until(lambda: reviews() and reviews()[0]["target"] is None, "the override is over", 60)
    history = reviews()
    under = [r for r in history if r["override_share"] is not None]
    assert under, "the hedge was looked at under the override"
    assert all(Decimal(r["target"]) == Decimal("0.4") for r in under)
    over = min(datetime.fromisoformat(r["at"]) for r in history if r["override_share"] is None)
    assert max(datetime.fromisoformat(r["at"]) for r in under) < expires <= over < expires + LATE
    # The review's row and the record of why come one after the other.
    wait_until(
        lambda: actions(person, "director-1").count("hedge_override_expired") == 1, "recorded", 20
    )


def is_held(stack: OwnStack, trade: int) -> bool:
    """Tell whether a trade of the company has bought what was approved."""
    (found,) = (t for t in stack.trades("company") if t["number"] == trade)
    return found["phase"] == "open" and Decimal(found["bought"]) > 0


def leave_as_found(person: Person, second: Person, trade: int) -> None:
    """Undo what would hold up whoever uses the stack next."""
    person.do(f"{COMPANY}/trades/{trade}/close")
    person.do(f"{HALTED}/resume")
    for path in (COMPANY, FALLEN, ""):
        values = person.see(f"{path}/settings/versions")[0]["changes"]
        undone = {change["name"]: change["before"] for change in values}
        person.do(f"{path}/settings", {"updates": undone, "reason": "done", "confirm": True})
    asked = person.do(f"{FALLEN}/drawdown/lift", {"reason": "it was meant"})
    agree(second, asked["approval"])
