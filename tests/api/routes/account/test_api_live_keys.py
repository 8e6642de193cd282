"""Another key of an account that trades live takes two people, in the API and in the database."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from activities.adapters.postgres.accounts.exchange_keys import PostgresExchangeKeys
from activities.ports.secrets import NotApprovedError
from infra.runtime.secrets import ExchangeKey
from models.trading.risk.limits import Mode
from tests.api.routes.account.test_api_exchange_keys import world
from tests.api.routes.governance.test_api_universe import first, second
from tests.support.platform import a_key

__all__ = ["first", "second", "world"]


async def trading_live(world, first):
    """Return an account that trades live, and the key it does so with."""
    account = await world.platform.add_account()
    made = await world.issue()
    path = f"/api/v1/accounts/{account}/keys"
    done = await first.post(path, json=world.body(made), headers=a_key())
    assert done.status_code == 201, done.text  # before it goes live one person stores it
    async with world.platform.workers.account_scope(account) as session:
        await session.sql(
            text("UPDATE accounts SET mode = 'live' WHERE account_id = :a"), {"a": account}
        )
    return account, path, made


async def decide(caller, problem, verb):
    approval = problem["detail"].split("request ")[1].split(".")[0]
    path = f"/api/v1/approvals/{approval}/{verb}"
    return await caller.post(path, json={"reason": "seen at Kraken"}, headers=a_key())


def refusal(answer):
    return answer.status_code, answer.json()["type"][19:]


async def test_another_key_of_a_live_account_waits_for_another_person_and_counts_once(
    world, first, second
):
    account, path, before = await trading_live(world, first)
    new = await world.issue()
    sent = a_key()
    asked = await first.post(path, json=world.body(new), headers=sent)
    assert refusal(asked) == (409, "approval-needed"), asked.text
    assert new["key"] not in asked.text
    again = await first.post(path, json=world.body(new), headers=a_key())
    assert again.json()["detail"] == asked.json()["detail"]  # one request, however often
    assert world.secrets.exchange_key(account, Mode.LIVE).key == before["key"]
    alone = await decide(first, asked.json(), "approve")
    assert refusal(alone) == (403, "second-person-needed"), alone.text
    approved = await decide(second, asked.json(), "approve")
    assert approved.status_code == 200, approved.text
    # Whoever approved cannot use it, and another key is not the one that was approved.
    other = await world.issue()
    for caller, made in ((second, new), (first, other)):
        refused = await caller.post(path, json=world.body(made), headers=a_key())
        assert refusal(refused) == (409, "approval-needed"), refused.text
    stored = await first.post(path, json=world.body(new), headers=sent)
    assert stored.status_code == 201, stored.text
    assert world.secrets.exchange_key(account, Mode.LIVE) == ExchangeKey(new["key"], new["secret"])
    audited = (await world.platform.audited(account, "exchange_key_rotated"))[0]
    assert audited["details"]["approval"] in asked.json()["detail"]
    back = await first.post(path, json=world.body(before), headers=a_key())
    assert refusal(back) == (409, "approval-needed")
    assert (await decide(second, back.json(), "approve")).status_code == 200
    returned = await first.post(path, json=world.body(before), headers=a_key())
    assert returned.status_code == 201, returned.text
    once = await first.post(path, json=world.body(new), headers=a_key())
    assert refusal(once) == (409, "approval-needed")


async def test_a_refused_request_stores_nothing_and_an_unfit_key_asks_nobody(world, first, second):
    account, path, before = await trading_live(world, first)
    new = await world.issue()
    asked = await first.post(path, json=world.body(new), headers=a_key())
    assert (await decide(second, asked.json(), "refuse")).status_code == 200
    anew = await first.post(path, json=world.body(new), headers=a_key())
    assert refusal(anew) == (409, "approval-needed")
    assert anew.json()["detail"] != asked.json()["detail"]
    unfit = await first.post(path, json=world.body(new) | {"key": "unknown"}, headers=a_key())
    assert refusal(unfit) == (422, "key-unknown")
    assert world.secrets.exchange_key(account, Mode.LIVE).key == before["key"]


async def test_a_key_put_into_the_store_by_hand_is_taken_in_by_two_people(world, first, second):
    account, path, _ = await trading_live(world, first)
    made = await world.issue()
    world.secrets.put_exchange_key(account, Mode.LIVE, ExchangeKey(made["key"], made["secret"]))
    asked = await first.post(f"{path}/live/check", headers=a_key())
    assert refusal(asked) == (409, "approval-needed")
    assert (await decide(second, asked.json(), "approve")).status_code == 200
    taken = await first.post(f"{path}/live/check", headers=a_key())
    assert taken.json()["ending"] == made["key"][-4:], taken.text


@pytest.mark.parametrize("approval", [None, "invented"])
async def test_the_database_takes_no_key_of_a_live_account_that_nobody_approved(
    world, first, approval
):
    account, path, _ = await trading_live(world, first)
    keys = PostgresExchangeKeys(world.platform.services.database)

    async def put():
        raise AssertionError("nothing is stored")

    now = datetime.now(UTC)
    with pytest.raises(NotApprovedError):
        await keys.store(account, Mode.LIVE, "forged", frozenset(), first.user, now, put, approval)
    assert len((await first.get(path)).json()) == 1
    with pytest.raises(DBAPIError):
        async with world.platform.workers.account_scope(account) as session:
            await session.sql(
                text(
                    "INSERT INTO exchange_keys VALUES (:a, 'live', 9, 'f', 'f', 'replaced', now(),"
                    " :by, now(), '{}', now(), 'ok')"
                ),
                {"a": account, "by": first.user},
            )


async def test_a_key_that_has_gone_is_not_put_back_by_turning_its_row(world, first, second):
    account, path, _ = await trading_live(world, first)
    new = await world.issue()
    asked = await first.post(path, json=world.body(new), headers=a_key())
    assert (await decide(second, asked.json(), "approve")).status_code == 200
    assert (await first.post(path, json=world.body(new), headers=a_key())).status_code == 201
    turn = """UPDATE exchange_keys SET state = CASE number WHEN 1 THEN 'in_use' ELSE 'replaced' END,
        ended_at = CASE number WHEN 1 THEN NULL ELSE now() END"""
    with pytest.raises(DBAPIError, match="key 1 of"):
        async with world.platform.services.database.account_scope(account) as session:
            await session.sql(text(turn))
    rows = (await first.get(path)).json()
    assert [(row["number"], row["state"]) for row in rows] == [(2, "in_use"), (1, "replaced")]
