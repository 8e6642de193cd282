"""A superuser with triggers off changes the record; the checkpoint outside the database tells."""

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from activities.adapters.postgres.acting import REQUEST_ID
from activities.adapters.postgres.audit import verify_chains
from activities.adapters.postgres.installation import create_account
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.record.search import CursorError, Search, search_record
from activities.adapters.postgres.record.tree import PostgresRecordTree
from activities.adapters.postgres.record.verification import (
    CheckpointRefusedError,
    RecordReport,
    shown_checkpoints,
    verify_record,
)
from activities.adapters.record.file_witness import FileWitness
from activities.adapters.record.signer import LogSigner, log_key, log_name
from activities.record.keeper import RecordKeeper
from infra.runtime.database.connections import Database, Role
from infra.runtime.secrets import local_secrets
from infra.runtime.version import code_version
from models.trading.account.state import AccountState
from models.trading.governance.record.verdicts import Fault
from tests.activities.adapters.postgres.record_attacks import (
    ATTACKS,
    CUT,
    FORGET_TREE,
    REHASH,
)
from tests.support.stories import LIMITS

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Record:
    """A record with its keeper; time goes on with each checkpoint."""

    journal: PostgresJournal
    database: Database
    recorder: Database
    keeper: RecordKeeper
    witness: FileWitness
    signer: LogSigner
    home: Path
    superuser: str
    clock: list[datetime]
    alarms: list[tuple[str, str]]

    async def write(self, count: int, account: str = "company") -> None:
        for number in range(count):
            details = {"n": str(number), "text": 'quote " umlaut ü'}
            await self.journal.audit(account, "somebody", "something", details, "why")

    async def checkpoint(self) -> datetime:
        self.clock[0] += timedelta(minutes=2)
        await self.keeper.look()
        return self.clock[0]

    def kept(self) -> list[str]:
        return [(self.home / "witness" / "checkpoint").read_text()]

    async def verify(self, notes=None):
        keys = [self.signer.verifier, self.witness.verifier]
        shown = shown_checkpoints(self.kept() if notes is None else notes, keys)
        return await verify_record(self.recorder, keys, shown)

    def as_superuser(self, *statements: str) -> None:
        with psycopg.connect(self.superuser) as connection:
            for table in ("audit_log", "audit_heads", "audit_leaves", "audit_nodes"):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            connection.execute("ALTER TABLE audit_checkpoints DISABLE TRIGGER ALL")
            for statement in statements:
                connection.execute(statement)


async def a_record(postgres, name: str, home: Path) -> Record:
    database = Database(postgres.url(Role.APP, name))
    recorder = Database(postgres.url(Role.RECORDER, name))
    admin = Database(postgres.url(Role.ADMIN, name))
    for account in ("company", "director-1"):
        await create_account(admin, AccountState(account, "i", limits=LIMITS), "company", START)
    await admin.close()
    clock, alarms = [START], []
    signer = LogSigner(
        log_key(local_secrets(home / "secrets").create(), home),
        home / "published",
        log_name("test"),
    )
    witness = FileWitness(home / "witness", signer.verifier, lambda: clock[0])

    async def alarm(action: str, why: str) -> None:
        alarms.append((action, why))

    keeper = RecordKeeper(PostgresRecordTree(recorder), signer, witness, lambda: clock[0], alarm)
    return Record(
        PostgresJournal(database),
        database,
        recorder,
        keeper,
        witness,
        signer,
        home,
        postgres.url("postgres", name),
        clock,
        alarms,
    )


@pytest.fixture
async def record(postgres, tmp_path):
    made = await a_record(postgres, postgres.new_database(), tmp_path)
    await made.write(5)
    await made.write(3, "director-1")
    await made.checkpoint()
    await made.write(4)
    await made.checkpoint()
    yield made
    await made.database.close()
    await made.recorder.close()


SAID_INTACT = {name for name in ATTACKS if name not in ("edit", "delete")}


TOLD: list[dict[str, object]] = []


def tell(name: str, report: RecordReport) -> None:
    """Keep what verifying has found, for the report of ``make tamper``."""
    where = [f"{finding.fault.value}: {finding.where}" for finding in report.findings]
    located = any(finding.where for finding in report.findings)
    proven = report.proven.at.isoformat() if report.proven else ""
    TOLD.append(
        {
            "name": name,
            "found": not report.intact,
            "located": located,
            "where": where,
            "proven_until": proven,
        }
    )


@pytest.fixture(scope="module", autouse=True)
def told_to_a_file():
    """Write what was found where ``AETHER_TAMPER_REPORT`` says, after all attacks."""
    yield
    if place := os.environ.get("AETHER_TAMPER_REPORT"):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).write_text(json.dumps({"tampers": TOLD}, indent=1) + "\n")


async def test_an_untouched_record_is_intact_and_proven_to_its_end(record):
    report = await record.verify()
    assert report.intact, report.findings
    assert report.rows == report.in_tree == report.proven.checkpoint.size
    assert report.proven.at == record.clock[0]
    assert report.unprotected == 0
    assert record.alarms == []


async def test_rows_after_the_last_cosignature_are_not_protected_yet(record):
    await record.write(3)
    report = await record.verify()
    assert report.intact
    assert report.unprotected == 3


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_found_and_located(record, name):
    statements, fault, where = ATTACKS[name]
    record.as_superuser(*statements)
    if name in SAID_INTACT:
        assert all(chain.intact for chain in await verify_chains(record.database))
    report = await record.verify()
    tell(name, report)
    assert not report.intact
    assert (report.findings[0].fault, report.findings[0].where) == (fault, where)
    # The first checkpoint covers nothing that came later.
    before = name == "tail cut with the head moved back"
    assert (report.proven is not None) is before
    if before:
        assert report.proven.at == START + timedelta(minutes=2)


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_that_rebuilds_the_tree_is_found(record, name):
    statements, _, _ = ATTACKS[name]
    record.as_superuser(*statements, *FORGET_TREE)
    rebuilt = PostgresRecordTree(record.recorder)
    assert (await rebuilt.integrate()).complete
    report = await record.verify()
    tell(f"{name}, the tree built anew", report)
    assert not report.intact
    found = {finding.fault for finding in report.findings}
    assert found & {Fault.REWRITTEN, Fault.ENDS_EARLY}, report.findings
    # The witness refuses the same: no checkpoint is made of it.
    await record.checkpoint()
    assert [action for action, _ in record.alarms] == ["witness_refused"]
    assert record.kept() == [(record.home / "witness" / "checkpoint").read_text()]


async def test_a_rewrite_is_located_between_the_checkpoints_that_the_witness_kept(record):
    record.as_superuser(
        "UPDATE audit_log SET actor = 'x' WHERE account_id = 'company' AND sequence = 8",
        REHASH,
        *FORGET_TREE,
    )
    await PostgresRecordTree(record.recorder).integrate()
    lines = (record.home / "witness" / "checkpoints.jsonl").read_text().splitlines()
    report = await record.verify([json.loads(line)["note"] for line in lines])
    assert [finding.fault for finding in report.findings] == [Fault.REWRITTEN]
    assert report.findings[0].first == report.proven.checkpoint.size
    assert report.proven.at == START + timedelta(minutes=2)


async def test_a_restored_old_copy_is_found_also_when_it_has_gone_on(postgres, tmp_path):
    name, copy = postgres.new_database(), f"copy_{datetime.now(UTC):%H%M%S%f}"
    record = await a_record(postgres, name, tmp_path)
    await record.write(5)
    first = await record.checkpoint()
    await record.database.close()
    await record.recorder.close()
    with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}" STRATEGY FILE_COPY')
    await record.write(4)
    await record.checkpoint()
    await record.database.close()
    await record.recorder.close()
    record.recorder = Database(postgres.url(Role.RECORDER, copy))
    report = await record.verify()
    tell("rollback: an old copy restored", report)
    assert [f.fault for f in report.findings] == [Fault.ENDS_EARLY]
    assert report.proven.at == first
    # The copy goes on: as many rows as before, and more.
    writer = Database(postgres.url(Role.APP, copy))
    elsewhere = PostgresJournal(writer)
    for number in range(9):
        await elsewhere.audit("company", "somebody", "other", {"n": str(number)}, "")
    await PostgresRecordTree(record.recorder).integrate()
    report = await record.verify()
    tell("rollback: an old copy restored that has gone on", report)
    assert [f.fault for f in report.findings] == [Fault.REWRITTEN]
    assert report.proven.at == first
    await record.recorder.close()
    await writer.close()


async def test_leaves_in_another_order_are_found(record):
    record.as_superuser(
        "ALTER TABLE audit_leaves DROP CONSTRAINT audit_leaves_pkey",
        "UPDATE audit_leaves SET leaf_index = 5 - leaf_index WHERE leaf_index IN (2, 3)",
    )
    report = await record.verify()
    assert {f.fault for f in report.findings} <= {Fault.REORDERED, Fault.REWRITTEN}
    assert report.findings
    assert report.proven is None


async def test_a_checkpoint_of_another_log_is_refused(record, tmp_path):
    other = LogSigner(bytes(32), tmp_path / "p", log_name("other"))
    note = other.signed(3, bytes(32), START)
    with pytest.raises(CheckpointRefusedError, match="not signed"):
        await record.verify([note])
    with pytest.raises(CheckpointRefusedError, match="not signed"):
        await record.verify([record.kept()[0].replace("\n1", "\n2", 1)])


async def test_a_cut_chain_stops_the_keeper_and_alarms_once(record):
    record.as_superuser(*CUT)
    await record.checkpoint()
    await record.checkpoint()
    assert [action for action, _ in record.alarms] == ["record_damaged"]
    assert "company has 8 rows and had" in record.alarms[0][1]


async def test_a_row_says_what_code_settings_and_request_it_came_from(record):
    REQUEST_ID.set("dora/key-12345678")
    await record.write(1)
    REQUEST_ID.set("")
    await record.write(1)
    with psycopg.connect(record.superuser) as connection:
        asked, later = connection.execute(
            "SELECT context FROM audit_log WHERE account_id = 'company' ORDER BY sequence DESC"
        ).fetchmany(2)[::-1]
    assert asked[0]["request"] == "dora/key-12345678"
    assert asked[0]["code"] == later[0]["code"] == code_version() != ""
    assert "request" not in later[0]
    # It is hashed with the row.
    record.as_superuser("UPDATE audit_log SET context = context - 'request'")
    assert (await record.verify()).findings


async def test_the_record_is_searched_page_by_page(record, postgres):
    await record.journal.audit(
        "company", "dora", "trade_requested", {"request": "dora/k1", "trade": "7"}, "account/x"
    )
    await record.journal.audit("company", "aether", "trade_opened", {"trade": "7"}, "trade/7")
    await record.journal.audit("director-1", "aether", "trade_opened", {"trade": "7"}, "trade/7")
    await record.checkpoint()
    api = Database(postgres.url(Role.API, record.recorder.url.database))

    async def found(limit=500, cursor="", **wanted):
        return await search_record(api, Search(**wanted), cursor, limit)

    chain = [row.action for row in (await found(correlation="dora/k1")).rows]
    assert chain == ["trade_opened", "trade_requested"]
    assert len((await found(correlation="trade/7")).rows) == 2
    assert [row.actor for row in (await found(actor="dora")).rows] == ["dora"]
    assert {row.account_id for row in (await found(accounts=("director-1",))).rows} == {
        "director-1"
    }
    assert len((await found(words="umlaut quote", action="something")).rows) == 12
    everything = (await found()).rows
    assert (await found(until=everything[-1].recorded_at)).rows == []
    assert len((await found(since=everything[-1].recorded_at)).rows) == len(everything)
    paged, cursor = [], ""
    while True:
        page = await found(limit=4, cursor=cursor)
        paged += page.rows
        cursor = page.following
        if not cursor:
            break
    assert paged == everything
    with pytest.raises(CursorError):
        await found(cursor="bad")
    await api.close()


async def test_rows_of_many_writers_keep_their_order_and_verify(record):
    await asyncio.gather(
        *(record.journal.audit("company", f"a{n}", "raced", {}, "") for n in range(40)),
        *(record.journal.audit("director-1", f"a{n}", "raced", {}, "") for n in range(40)),
        record.keeper.look(),
        record.keeper.look(),
    )
    await record.checkpoint()
    report = await record.verify()
    assert report.intact, report.findings
    assert report.unprotected == 0
