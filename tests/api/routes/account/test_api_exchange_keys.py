"""Exchange keys over the API: a real simulator that knows them, a real store, a real record."""

import base64
import logging
import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from activities.adapters.kraken.addresses import AllowedHosts, ExchangeAddresses
from activities.adapters.kraken.directory import LiveGate
from activities.adapters.kraken.rest.key_check import KrakenKeyValidator
from activities.adapters.postgres.accounts.exchange_keys import PostgresExchangeKeys
from activities.adapters.stored_secrets import StoredSecrets
from activities.keys.care import ExchangeKeys
from infra.runtime.secrets import ExchangeKey, local_secrets
from models.trading.risk.limits import Mode
from tests.api.routes.governance.test_api_universe import first, second
from tests.support.exchange_server import running
from tests.support.platform import a_key

__all__ = ["first", "second"]


class World:
    """A simulator that stands for Kraken as well, and the store that keys come into."""

    def __init__(self, platform, exchange, secrets):
        self.platform, self.exchange, self.secrets = platform, exchange, secrets

    async def issue(self, **body):
        """Make a key at the exchange as a person does on Kraken's website."""
        status, made = await self.exchange.control("keys", {"account": "company", **body})
        assert status == 200, made
        return made

    def body(self, made, mode="live"):
        return {"mode": mode, "key": made["key"], "private_key": made["secret"]}


@pytest.fixture
async def world(platform, tmp_path):
    async with running(tmp_path) as exchange:
        ws = exchange.address.replace("http", "ws")
        addresses = ExchangeAddresses(exchange.address, f"{ws}/v2", f"{ws}/private/v2")
        secrets = local_secrets(tmp_path / "secrets").create()
        (tmp_path / "keys").mkdir()
        validator = KrakenKeyValidator(
            addresses, LiveGate(addresses, AllowedHosts.loopback()), tmp_path / "keys"
        )
        platform.services.keys = ExchangeKeys(
            PostgresExchangeKeys(platform.services.database),
            StoredSecrets(secrets),
            validator,
            lambda: datetime.now(UTC),
        )
        yield World(platform, exchange, secrets)
        platform.services.keys = None
        await platform.end_live()


async def test_a_key_is_validated_at_once_stored_and_never_shown(world, first, caplog):
    caplog.set_level(logging.DEBUG)
    account = await world.platform.add_account()
    path = f"/api/v1/accounts/{account}/keys"
    made = await world.issue()
    done = await first.post(path, json=world.body(made), headers=a_key())
    assert done.status_code == 201, done.text
    view = done.json()
    assert (view["state"], view["validation"], view["ending"]) == ("in_use", "ok", made["key"][-4:])
    assert view["stored_by"] == first.user
    assert "withdraw_funds" not in view["permissions"]
    assert world.secrets.exchange_key(account, Mode.LIVE) == ExchangeKey(
        made["key"], made["secret"]
    )
    listed = await world.platform.caller.get(path)
    assert [row["number"] for row in listed.json()] == [1]
    audited = (await world.platform.audited(account, "exchange_key_stored"))[0]
    assert audited["details"] == {"mode": "live", "key": f"…{made['key'][-4:]}", "number": "1"}
    shown = done.text + listed.text + str(audited) + caplog.text
    assert made["secret"] not in shown
    assert made["key"] not in shown
    async with world.platform.services.database.account_scope(account) as session:
        rows = await session.sql(text("SELECT r::text FROM requests r"))
        kept = " ".join(row[0] for row in rows)
    assert made["secret"] not in kept
    assert made["key"] not in kept


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"permissions": ["withdraw-funds"]}, 422, "key-may-withdraw"),
        ({"permissions": ["query-funds"]}, 422, "key-lacks-rights"),
        ({"private_key": base64.b64encode(os.urandom(64)).decode()}, 422, "key-unknown"),
        ({"key": "nobody-knows-it"}, 422, "key-unknown"),
        ({"private_key": "too short"}, 422, "key-malformed"),
    ],
)
async def test_a_key_that_is_not_fit_changes_nothing(world, first, change, status, code):
    account = await world.platform.add_account()
    everything = (await world.exchange.control("keys"))[1]["keys"][0]["permissions"]
    rights = [*everything, *change.get("permissions", [])]
    if code == "key-lacks-rights":
        rights = change["permissions"]
    made = await world.issue(permissions=rights)
    wrong = {name: value for name, value in change.items() if name != "permissions"}
    path = f"/api/v1/accounts/{account}/keys"
    refused = await first.post(path, json={**world.body(made), **wrong}, headers=a_key())
    assert (refused.status_code, refused.json()["type"][19:]) == (status, code), refused.text
    assert made["secret"] not in refused.text
    assert world.secrets.exchange_key(account, Mode.LIVE) is None
    assert (await first.get(path)).json() == []


async def test_the_same_key_on_another_account_is_refused_even_when_it_was_replaced(world, first):
    one, other = await world.platform.add_account(), await world.platform.add_account()
    old, new = await world.issue(), await world.issue()
    for made in (old, new):
        done = await first.post(
            f"/api/v1/accounts/{one}/keys", json=world.body(made), headers=a_key()
        )
        assert done.status_code == 201, done.text
    for made in (old, new):
        refused = await first.post(
            f"/api/v1/accounts/{other}/keys", json=world.body(made), headers=a_key()
        )
        assert (refused.status_code, refused.json()["type"][19:]) == (
            409,
            "key-of-another-account",
        )
    assert world.secrets.exchange_key(other, Mode.LIVE) is None


async def test_rotation_keeps_the_history_and_tells_age(world, first):
    account = await world.platform.add_account()
    path = f"/api/v1/accounts/{account}/keys"
    old, new = await world.issue(), await world.issue()
    sent = a_key()
    await first.post(path, json=world.body(old), headers=sent)
    again = await first.post(path, json=world.body(old), headers=a_key())
    assert again.json()["type"][19:] == "key-unchanged"
    reused = await first.post(path, json=world.body(new), headers=sent)
    assert reused.json()["type"][19:] == "idempotency-key-reused"
    await first.post(path, json=world.body(new), headers=a_key())
    rows = (await first.get(path)).json()
    assert [(row["number"], row["state"]) for row in rows] == [(2, "in_use"), (1, "replaced")]
    assert world.secrets.exchange_key(account, Mode.LIVE).key == new["key"]
    rotated = (await world.platform.audited(account, "exchange_key_rotated"))[0]
    assert rotated["details"]["replaces"] == f"…{old['key'][-4:]}"
    key = (await world.platform.services.keys.keys(account))[0]
    later = key.stored_at + timedelta(days=91)
    from api.messages.exchange_keys import KeyView

    assert KeyView.of(key, later).due
    assert KeyView.of(key, later).age_days == 91
    assert not rows[0]["due"]


async def test_a_key_is_checked_removed_and_adopted_from_the_store(world, first):
    account = await world.platform.add_account()
    path = f"/api/v1/accounts/{account}/keys"
    missing = await first.post(f"{path}/live/check", headers=a_key())
    assert (missing.status_code, missing.json()["type"][19:]) == (404, "no-key")
    made = await world.issue()
    world.secrets.put_exchange_key(account, Mode.LIVE, ExchangeKey(made["key"], made["secret"]))
    adopted = await first.post(f"{path}/live/check", headers=a_key())
    assert adopted.json()["validation"] == "ok", adopted.text
    await world.exchange.control("keys", {"key": made["key"]}, "DELETE")
    gone = await first.post(f"{path}/live/check", headers=a_key())
    assert gone.json()["validation"] == "key-unknown", gone.text
    found = (await world.platform.audited(account, "exchange_key_validated"))[0]["details"]
    assert (found["before"], found["found"]) == ("ok", "key-unknown")
    removed = await first.post(f"{path}/live/remove", headers=a_key())
    assert removed.json()["state"] == "removed"
    assert world.secrets.exchange_key(account, Mode.LIVE) is None
    needed = await first.post(f"{path}/simulated/remove", headers=a_key())
    assert (needed.status_code, needed.json()["type"][19:]) == (409, "key-needed")


async def test_a_machine_token_and_a_person_without_the_step_up_upload_nothing(world, first):
    account = await world.platform.add_account()
    path = f"/api/v1/accounts/{account}/keys"
    made = await world.issue()
    machine = await world.platform.caller.post(path, json=world.body(made), headers=a_key())
    assert machine.json()["type"][19:] == "person-required"
    first.steps_up = False
    plain = await first.post(path, json=world.body(made), headers=a_key())
    assert plain.json()["type"][19:] == "step-up-required"
    assert made["secret"] not in plain.text
    broken = await first.post(path, json={"mode": "live", "key": 1, "x": made["secret"]})
    assert made["secret"] not in broken.text
    assert world.secrets.exchange_key(account, Mode.LIVE) is None


async def test_a_store_that_cannot_be_used_refuses_and_the_record_says_nothing(
    world, first, tmp_path
):
    account = await world.platform.add_account()
    path = f"/api/v1/accounts/{account}/keys"
    made = await world.issue()
    (tmp_path / "secrets" / "key").chmod(0o644)
    refused = await first.post(path, json=world.body(made), headers=a_key())
    assert (refused.status_code, refused.json()["type"][19:]) == (409, "secrets-unavailable")
    assert (await first.get(path)).json() == []
    (tmp_path / "secrets" / "key").chmod(0o600)
    assert (await first.post(path, json=world.body(made), headers=a_key())).status_code == 201


async def test_a_freeze_holds_back_another_key_until_the_glass_is_broken(world, first, second):
    account = await world.platform.add_account()
    path = f"/api/v1/accounts/{account}/keys"
    made, by_hand = await world.issue(), await world.issue()
    begun = await first.post("/api/v1/freeze", json={"reason": "an incident"}, headers=a_key())
    (one,) = begun.json()["standing"]
    try:
        frozen = await first.post(path, json=world.body(made), headers=a_key())
        assert (frozen.status_code, frozen.json()["type"][19:]) == (409, "change-frozen")
        assert world.secrets.exchange_key(account, Mode.LIVE) is None
        glass = a_key() | {"Aether-Break-Glass": "the key before has leaked"}
        broken = await first.post(path, json=world.body(made), headers=glass)
        assert broken.status_code == 201, broken.text
        known = await first.post(f"{path}/live/check", headers=a_key())
        assert known.status_code == 200, known.text
        # What somebody has put into the store by hand is another key too.
        world.secrets.put_exchange_key(
            account, Mode.LIVE, ExchangeKey(by_hand["key"], by_hand["secret"])
        )
        taken = await first.post(f"{path}/live/check", headers=a_key())
        assert (taken.status_code, taken.json()["type"][19:]) == (409, "change-frozen")
        breaks = (await second.get("/api/v1/freeze")).json()["breaks"]
        assert [b["broken_by"] for b in breaks if b["path"] == path] == [first.user]
    finally:
        end = f"/api/v1/freeze/{one['number']}/end"
        ended = await second.post(end, json={"reason": "over"}, headers=a_key())
    assert ended.status_code == 200, ended.text
    taken = await first.post(f"{path}/live/check", headers=a_key())
    assert taken.status_code == 200, taken.text
