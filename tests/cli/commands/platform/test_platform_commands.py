"""The commands that people trade and check with, as processes against a served platform."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime

import psycopg
import pytest
import pytest_asyncio
from aiohttp import web

from activities.accounts.verification import INVARIANTS
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.ports.journal import Discrepancies, RefusedWrite
from infra.runtime.state_directory import Manifest, StateDirectory
from tests.support.lifting import lift_kill_switch
from tests.support.platform import PORT_BASE, a_key
from tests.support.record_builders import a_report, an_order
from tests.support.temporal import eventually

ROW = re.compile(r"^\s*\d+ \d{4}-\d\d-\d\dT", re.MULTILINE)
"""A row of the record as it is listed: its number and when."""


async def test_trade_is_opened_moved_listed_and_closed(aether, served, account):
    opening = ("trade", "open", account, "BTC/USD", "--stop", "47500", "--quantity", "0.01")
    first = json.loads(await aether(*opening, "--key", "open-once-only", "--json"))
    again = json.loads(await aether(*opening, "--key", "open-once-only", "--json"))
    assert first == again
    number = str(first["trade"])

    async def protected():
        answer = await served.caller.get(f"/api/v1/accounts/{account}/trades/{number}")
        return answer.status_code == 200 and float(answer.json()["protected_quantity"]) > 0

    await eventually(protected, "the trade is protected")
    listed = json.loads(await aether("trade", "list", account, "--open", "--json"))
    assert int(number) in [trade["number"] for trade in listed]
    shown = await aether("trade", "list", account)
    assert "BTC/USD" in shown
    assert "47500" in shown
    other = await served.add_account()
    every = json.loads(await aether("trade", "list", "--json"))
    assert int(number) in [trade["number"] for trade in every[account]]
    assert every[other] == []
    assert f"{account} {number}" in await aether("trade", "list")
    assert "accepted" in await aether("trade", "move-stop", account, number, "--stop", "48000")
    assert "accepted" in await aether("trade", "close", account, number)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trade", "open", "{account}", "ETH/USD", "--stop", "1"], "unknown-pair"),
        (["trade", "open", "{account}", "BTC/USD", "--stop", "NaN"], "invalid-request"),
        (["trade", "open", "{account}", "BTC/USD", "--stop", "60000"], "stop-on-wrong-side"),
        (["trade", "open", "nobody", "BTC/USD", "--stop", "1"], "unknown-account"),
        (["trade", "list", "../../healthz"], "not-found"),
        (["trade", "list", ".."], "unknown-account"),
        (["trade", "close", "{account}", "999"], "unknown-trade"),
        (["trade", "move-stop", "{account}", "1"], "say where to"),
        (["kill-switch", "lift", "4711", "--reason", "over"], "person-required"),
        (["kill-switch", "engage", "--reason", "why", "--account", "nobody"], "unknown-account"),
        (["audit", "list", "nobody"], "unknown-account"),
        (["reconcile", "report", "nobody"], "unknown-account"),
        (["days", "nobody"], "unknown-account"),
        (["portfolio", "nobody"], "unknown-account"),
        (["portfolio", "{account}", "--since", "yesterday"], "invalid-request"),
        (["capital", "show", "nobody"], "unknown-account"),
        (["capital", "deposit", "{account}", "0", "--note", "none"], "invalid-request"),
        (["capital", "withdraw", "{account}", "9e9", "--note", "all"], "insufficient-balance"),
        (["drawdown", "lift", "{account}", "--reason", "none stands"], "person-required"),
        (["verify"], "the exchange does not answer"),
    ],
)
async def test_refusal_is_one_line_and_exit_code_2(aether, account, words, said):
    line = await aether(*(word.format(account=account) for word in words), status=2)
    assert line.startswith("error: ")
    assert said in line


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AETHER_TOKEN": "wrong"}, "unauthorized"),
        ({"AETHER_TOKEN": "w\u00f6rong"}, "characters that no header can carry"),
        ({"AETHER_TOKEN": ""}, "nothing was ever set up"),
        ({"AETHER_PORT_BASE": "21590"}, "the API does not answer"),
    ],
)
async def test_wrong_token_or_place_is_said(aether, environment, said):
    assert said in await aether("trade", "list", "company", status=2, **environment)


async def test_ports_of_the_last_run_are_found(aether, tmp_path):
    (tmp_path / "home").mkdir()
    manifest = Manifest(
        market="generated",
        speed="",
        port_base=PORT_BASE,
        postgres_major=18,
        created_at=datetime.now(UTC),
    )
    StateDirectory(tmp_path / "home").save_manifest(manifest)
    assert ROW.search(await aether("audit", "list", AETHER_PORT_BASE=""))


async def test_kill_switch_is_engaged_shown_and_lifted(aether, served):
    name = await served.add_account()
    await served.start_account(name)
    words = ("kill-switch", "engage", "--reason", "a drill", "--account", name)
    engaged = json.loads(await aether(*words, "--key", "once-and-only", "--json"))
    assert json.loads(await aether(*words, "--key", "once-and-only", "--json")) == engaged
    number = str(engaged["number"])
    shown = await aether("kill-switch", "status")
    assert any(line.startswith(number) and "ENGAGED" in line for line in shown.splitlines())
    words = ("kill-switch", "lift", number, "--reason", "over")
    assert "person-required" in await aether(*words, status=2)
    assert (await lift_kill_switch(served, int(number))).status_code == 200


async def test_audit_is_listed_and_verified_and_a_changed_row_is_named(
    aether, served, postgres, api_database
):
    assert ROW.search(await aether("audit", "list", "platform"))
    assert json.loads(await aether("audit", "verify", "--json"))["intact"]
    name = await served.add_account()
    url = postgres.url("postgres", api_database)
    write_actor(url, name, "nobody")
    try:
        said = await aether("audit", "verify", status=1)
        assert f"{name}: 0 rows, BROKEN at 1: its content was changed" in said
    finally:
        write_actor(url, name, "aether")
    assert "BROKEN" not in await aether("audit", "verify")


async def test_reconciliation_is_reported_with_what_was_repaired_and_who_is_quarantined(
    aether, served
):
    name = await served.add_account()
    assert "never compared" in await aether("reconcile", "report", name, status=1)
    record = served.records.record_reconciliation
    await record(name, Discrepancies(repaired={"fills": ["T1"]}), datetime.now(UTC))
    said = await aether("reconcile", "report", name)
    assert "nothing differs" in said
    assert "repaired fills (1): T1" in said
    stranger = a_report(an_order(client_order_id=None), "OSTRANGER")
    met = Discrepancies({"unknown_orders": ["OSTRANGER"]}, {}, (stranger,))
    await record(name, met, datetime.now(UTC))
    said = await aether("reconcile", "report", name, status=1)
    assert "QUARANTINED OSTRANGER: buy 0.10 BTC/USD limit limit 50000" in said
    assert "neither cancelled nor adopted" in said
    await record(name, Discrepancies(), datetime.now(UTC))
    said = await aether("reconcile", "report", name)
    assert "was quarantined OSTRANGER" in said
    (found,) = json.loads(await aether("reconcile", "report", name, "--json"))
    assert found["last"]["clean"]
    assert [order["standing"] for order in found["unknown_orders"]] == [False]
    assert name in await aether("reconcile", "report", status=1)


def write_actor(url, chain, actor):
    """Rewrite history as only a superuser can who switches the triggers off."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER ALL")
        connection.execute("UPDATE audit_log SET actor = %s WHERE account_id = %s", [actor, chain])
        for trigger in connection.execute(TRIGGERS).fetchall():
            connection.execute(f"ALTER TABLE audit_log ENABLE ALWAYS TRIGGER {trigger[0]}")


TRIGGERS = """SELECT tgname FROM pg_trigger
              WHERE tgrelid = 'audit_log'::regclass AND NOT tgisinternal"""


# --- verify --------------------------------------------------------------------------------------


class ExchangeBooks:
    """Serves what the fakes hold as the simulator's control endpoint does."""

    def __init__(self, directory):
        self.directory = directory
        self.orphan = None
        self.silent = {}

    async def pairs(self, _):
        pair = {"wsname": "XBT/USD", "ordermin": "0.0001", "costmin": "0.5"}
        return web.json_response({"error": [], "result": {"XXBTZUSD": pair}})

    async def state(self, _):
        return web.json_response({"speed": "10"})

    async def watchdog(self, _):
        checks = {"workflows": "; ".join(self.silent) or "ok"}
        return web.json_response({"checks": checks, "silent_workflows": self.silent})

    async def record(self, request):
        exchange = self.directory.exchanges.get(request.query["account"])
        if exchange is None:
            return web.json_response({"orders": [], "fills": [], "balances": {}, "ledger": []})
        body = {
            "orders": [plain(order) for order in exchange.orders.values()],
            "fills": [plain(fill) for fill in exchange.executions_made],
            "balances": {asset: {"total": str(n)} for asset, n in exchange.totals.items()},
            "ledger": [
                {"asset": asset, "amount": str(n), "fee": "0"}
                for asset, n in exchange.totals.items()
            ],
        }
        if self.orphan and body["orders"]:
            strange = {"order_id": self.orphan, "client_order_id": None, "userref": None}
            body["orders"].append(body["orders"][0] | strange)
        return web.json_response(body)


def plain(record):
    return {
        name: value if value is None or isinstance(value, bool) else str(value)
        for name, value in asdict(record).items()
    }


@pytest_asyncio.fixture
async def exchange_books(served):
    books = ExchangeBooks(served.world.directory)
    application = web.Application()
    application.router.add_get("/0/public/AssetPairs", books.pairs)
    application.router.add_get("/control/record", books.record)
    application.router.add_get("/control/state", books.state)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT_BASE + 3).start()
    # As the trading process would tell on its own port.
    watched = web.Application()
    watched.router.add_get("/readyz", books.watchdog)
    watching = web.AppRunner(watched)
    await watching.setup()
    await web.TCPSite(watching, "127.0.0.1", PORT_BASE + 4).start()
    yield books
    await watching.cleanup()
    await runner.cleanup()


async def test_verify_is_clean_after_trading_and_names_what_is_planted(
    aether, served, account, exchange_books
):
    before = json.loads(await aether("verify", "--json", status=None))
    body = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}
    await served.caller.post(f"/api/v1/accounts/{account}/trades", json=body, headers=a_key())
    # Other tests plant what they need in the record that all share.
    planted = {f["subject"] for f in before["findings"]}
    clean = json.loads(await aether("verify", "--json", status=None))
    assert {f["subject"] for f in clean["findings"]} <= planted, clean
    assert clean["clean"] is not bool(clean["findings"])
    assert clean["orders"] >= 2
    assert clean["fills"] >= 1
    assert set(clean["invariants"]) == set(INVARIANTS)
    exchange_books.orphan = "OORPHAN"
    found = json.loads(await aether("verify", "--json", "--grace", "0.5", status=1))
    assert not found["clean"]
    assert found["invariants"]["orders_unknown_to_us"] >= 1
    subjects = {f["subject"] for f in found["findings"]}
    assert "OORPHAN" in subjects
    assert all(f["seconds"] >= 0.5 for f in found["findings"])
    assert "BAD orders_unknown_to_us" in await aether("verify", "--grace", "0.5", status=1)


async def test_verify_and_status_name_an_account_that_does_not_run(
    aether, served, account, exchange_books
):
    exchange_books.silent = {f"account/{account}": "does not run: terminated"}
    found = json.loads(await aether("verify", "--json", "--grace", "0", status=1))
    assert found["invariants"]["workflows_not_answering"] == 1
    assert any(
        (f["account"], f["subject"]) == (account, f"account/{account}") for f in found["findings"]
    )
    status = (await served.caller.get("/api/v1/status")).json()
    lines = {line["account"]: line["state"] for line in status["accounts"]}
    assert lines[account] == "does not run: terminated"
    ready = await served.caller.get("/readyz")
    assert ready.status_code == 503
    assert account in ready.json()["checks"]["workflows"]


async def test_write_that_the_record_refused_is_found_listed_and_settled(
    aether, served, account, exchange_books
):
    quarantine = PostgresQuarantine(served.workers)
    await quarantine.keep(
        RefusedWrite(account, "run/1", "save_account", "a NUL", "{}", datetime.now(UTC))
    )
    found = json.loads(await aether("verify", "--json", "--grace", "0.5", status=1))
    assert found["invariants"]["writes_quarantined"] == 1
    assert f"{account} run/1 save_account" in await aether("admin", "quarantine")
    (listed,) = json.loads(await aether("admin", "quarantine", "--json"))
    assert (listed["write_id"], listed["reason"]) == ("run/1", "a NUL")
    settle = ("admin", "quarantine", "--account", account, "--settle", "run/1")
    assert "settled" in await aether(*settle)
    await aether(*settle, status=2)
    assert await aether("admin", "quarantine") == ""


async def test_capital_days_and_portfolios_are_shown(aether, served):
    account = await served.add_account()
    await served.start_account(account)
    deposit = ("capital", "deposit", account, "250", "--note", "a test's own", "--key", "once-only")
    for _ in range(2):
        assert "250 USD is being booked" in await aether(*deposit)

    async def booked():
        return "250 USD" in await aether("capital", "show", account)

    await eventually(booked, "the deposit is shown")
    found = json.loads(await aether("capital", "show", account, "--json"))
    assert [flow["amount"] for flow in found["flows"]] == ["250"]
    assert json.loads(await aether("days", account, "--json")) == []
    assert "profit" in await aether("days", account)
    shown = await aether("portfolio")
    assert account in shown
    assert "together: " in shown
    one = json.loads(await aether("portfolio", account, "--json"))
    assert one["holdings"][0]["asset"] == "USD"


async def test_database_that_does_not_answer_is_one_line(aether):
    nowhere = {"AETHER_DATABASE_URL": "postgresql://x@127.0.0.1:21591/none"}
    line = await aether("audit", "verify", status=2, **nowhere)
    assert "the database does not answer" in line


@pytest.mark.parametrize(
    "group",
    ["trade", "kill-switch", "reconcile", "audit", "verify", "days", "capital", "portfolio"],
)
async def test_help_says_what_it_does(aether, group):
    said = await aether(group, "--help")
    assert "Usage" in said
    assert "TODO" not in said
