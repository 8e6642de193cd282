"""Keys, nonces, requests, tokens and the accounts' own figures."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.adapters.postgres import installation
from activities.adapters.postgres.accounts.account_journal import UnknownAccountError
from activities.adapters.postgres.accounts.key_custody import (
    KeyTakenError,
    PostgresKeyLock,
    PostgresNonceStore,
)
from activities.adapters.postgres.requests import KnownRequest, PostgresRequests, RequestState
from activities.adapters.postgres.retention import prune_requests
from models.trading.account.state import AccountState, Halt, HaltKind
from models.trading.risk.limits import AccountLimits
from tests.support.record_builders import NOW


@settings(max_examples=10, deadline=None)
@given(marks=st.lists(st.integers(min_value=1, max_value=2**62), min_size=1, max_size=5))
def test_nonce_mark_only_rises(database, marks):
    key = uuid4().hex
    store = PostgresNonceStore(database.driver_url, "company", key)
    assert store.load() == 0
    for index, mark in enumerate(marks):
        store.save(mark)
        again = PostgresNonceStore(database.driver_url, "company", key)
        assert again.load() == max(marks[: index + 1])


def test_key_of_one_account_is_refused_to_another(database):
    key = uuid4().hex
    PostgresNonceStore(database.driver_url, "company", key).save(5)
    with pytest.raises(KeyTakenError):
        PostgresNonceStore(database.driver_url, "director-1", key).save(6)
    assert PostgresNonceStore(database.driver_url, "company", key).load() == 5


def test_key_is_held_by_one_at_a_time(database):
    key = uuid4().hex
    first, second = (PostgresKeyLock(database.driver_url, key) for _ in range(2))
    first.acquire()
    first.acquire()
    assert first.is_held
    with pytest.raises(KeyTakenError):
        second.acquire()
    another = PostgresKeyLock(database.driver_url, uuid4().hex)
    another.acquire()
    another.release()
    first.release()
    first.release()
    second.acquire()
    assert second.is_held
    assert not first.is_held
    second.release()


async def test_request_is_carried_out_once_and_answered_alike_ever_after(database):
    requests, key = PostgresRequests(database), uuid4().hex
    states = await asyncio.gather(*(requests.begin("company", key, "hash", NOW) for _ in range(5)))
    assert sorted(s.state for s in states) == [RequestState.IN_PROGRESS] * 4 + [RequestState.NEW]
    assert await requests.settle("company", key, {"number": 1}) == {"number": 1}
    assert await requests.settle("company", key, {"number": 2}) == {"number": 1}
    answered = KnownRequest(RequestState.ANSWERED, 202, {"trade": 1})
    assert await requests.finish("company", key, 202, {"trade": 1}, NOW) == answered
    assert await requests.finish("company", key, 500, {}, NOW) == answered
    assert await requests.begin("company", key, "hash", NOW) == answered
    other = await requests.begin("company", key, "another", NOW)
    assert other == KnownRequest(RequestState.OTHER_BODY)
    assert (await requests.begin("platform", key, "another", NOW)).state is RequestState.NEW


async def test_token_is_known_until_revoked_and_never_stored(admin, api_database):
    now = datetime.now(UTC)
    token = await installation.create_token(admin, "admin", "administrator", now)
    assert await installation.create_token(admin, "admin", "administrator", now) is None
    hashed = installation.token_hash(token)
    (made,) = await installation.list_tokens(admin)
    assert made.last_used_at is None
    found = await installation.find_token(api_database, hashed)
    assert (found.name, found.role) == ("admin", "administrator")
    assert found.expires_at == now + timedelta(days=90)
    (used,) = await installation.list_tokens(admin)
    assert used.last_used_at > now
    assert token not in used.token_hash
    unknown = installation.token_hash(token + "x")
    assert await installation.find_token(api_database, unknown) is None
    until = now + timedelta(days=300)
    assert await installation.renew_token(admin, "admin", until)
    assert (await installation.find_token(api_database, hashed)).expires_at == until
    await installation.revoke_token(admin, "admin", now)
    assert await installation.find_token(api_database, hashed) is None
    assert not await installation.renew_token(admin, "admin", until)
    assert await installation.find_token(api_database, hashed) is None


async def test_old_requests_are_forgotten_and_young_ones_never(
    database, api_database, superuser_url
):
    requests = PostgresRequests(database)
    now = datetime.now(UTC)
    await prune_requests(api_database, now)  # what other tests have left
    for days in (1, 29, 31, 50, 100):
        at = now - timedelta(days=days)
        await requests.begin("company", f"key-{days}-days-old", "hash", at)
    kept = "SELECT count(*) FROM requests WHERE idempotency_key LIKE 'key-%-days-old'"
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        assert await prune_requests(api_database, now - timedelta(days=45)) == 2
        assert connection.execute(kept).fetchone() == (3,)
        await prune_requests(api_database, now + timedelta(days=45))
        assert connection.execute(kept).fetchone() == (2,)


async def test_installation_keeps_its_id_and_accounts_their_settings(database, journal):
    ids = await asyncio.gather(*(installation.installation_id(database) for _ in range(4)))
    assert len(set(ids)) == 1
    halt = Halt(HaltKind.REQUESTED, "because", NOW)
    limits = replace(AccountLimits(), risk_share=Decimal("0.0010"))
    state = AccountState(
        account="director-2", installation=ids[0], limits=limits, strategies=("a", "b")
    )
    assert await installation.create_account(database, state, "director", NOW)
    assert not await installation.create_account(database, state, "director", NOW)
    state = replace(state, halts=(halt,), next_trade=7, closed_trades=3)
    await journal.save_account(state, "halted", "somebody", {"reason": "because"}, NOW)
    stale = replace(state, next_trade=2, halts=())
    await journal.save_account(stale, None, "aether", {}, NOW - timedelta(seconds=1))
    (found,) = [a for a in await journal.accounts() if a.account == "director-2"]
    # Nobody knows what happened at the exchange meanwhile: no entry until it has answered.
    assert [h.kind for h in found.halts] == [HaltKind.REQUESTED, HaltKind.NO_EXCHANGE]
    assert replace(found, halts=(halt,)) == state


async def test_account_never_set_up_cannot_be_saved(journal):
    state = AccountState(account="nobody", installation=str(uuid4()))
    with pytest.raises(UnknownAccountError):
        await journal.save_account(state, None, "aether", {}, NOW)


async def test_checkpoint_only_moves_forward(journal):
    assert await journal.checkpoint("company") is None
    for minutes in (5, 3, 9, 1):
        await journal.advance_checkpoint("company", NOW + timedelta(minutes=minutes))
    assert await journal.checkpoint("company") == NOW + timedelta(minutes=9)
    assert await journal.checkpoint("director-1") is None
