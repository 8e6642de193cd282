"""A write that can never succeed is set aside with its reason, and what follows it goes on."""

from datetime import UTC, datetime

import psycopg
from sqlalchemy.exc import DataError, OperationalError
from temporalio import activity

from activities.accounts.quarantine import QUARANTINABLE, refused_write
from activities.adapters.postgres.orders.quarantine import never_succeeds
from models.contracts.records import AuditEntry
from models.trading.bounds import text_problem
from tests.support.fakes import FakeDirectory, FakeJournal
from workers.assembly import trading_activities

AT = datetime(2026, 1, 2, tzinfo=UTC)


def test_only_what_a_write_holds_is_beyond_a_repeat():
    nul = psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    assert never_succeeds(nul)
    assert never_succeeds(psycopg.errors.UntranslatableCharacter("\\u0000"))
    assert never_succeeds(psycopg.errors.CheckViolation("no"))
    assert never_succeeds(DataError("INSERT", {}, nul))
    assert never_succeeds(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"))
    wrapped = RuntimeError("no")
    wrapped.__cause__ = nul
    assert never_succeeds(wrapped)
    assert not never_succeeds(psycopg.OperationalError("the server closed the connection"))
    assert not never_succeeds(OperationalError("INSERT", {}, psycopg.OperationalError("gone")))
    assert not never_succeeds(TimeoutError())


def test_quarantinable_steps_exist():
    steps = trading_activities(FakeDirectory(), FakeJournal(), None)  # type: ignore[arg-type]
    names = {activity._Definition.must_from_callable(step).name for step in steps}
    assert names >= QUARANTINABLE


def test_refused_write_is_described_in_characters_that_the_record_holds():
    entry = AuditEntry("company\x00", "anna", "halted", {"reason": "\x00\ud800"}, "")
    write = refused_write("run/1", "audit", (entry,), ValueError("nul \x00"), AT)
    for part in (write.account, write.reason, write.content):
        assert text_problem(part, 10_000) is None
        assert part.isascii() or "\N{REPLACEMENT CHARACTER}" in part
