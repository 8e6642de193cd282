"""Evidence packs over the API: asked for, made beside, fetched, by who may and nobody else."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio

from activities.adapters.postgres.record.packs import PostgresPackDesk
from activities.record import requested_packs
from activities.record.requested_packs import KEPT, RequestedPacks
from infra.runtime.database.connections import Database, Role
from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as Duty
from tests.activities.record.test_evidence_packs import Evidence
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key

PATH = "/api/v1/evidence-packs"


@pytest_asyncio.fixture
async def evidence(postgres, api_database, tmp_path):
    recorder = Database(postgres.url(Role.RECORDER, api_database))
    found = Evidence(recorder, tmp_path)
    # Whatever other tests have left in the tree is none of this log's.
    with psycopg.connect(postgres.url("postgres", api_database), autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("ALTER TABLE audit_checkpoints DISABLE TRIGGER audit_checkpoints_kept")
        owner.execute("DELETE FROM audit_checkpoints")
        owner.execute("ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_kept")
    yield found
    await recorder.close()


def maker(evidence, now=None):
    desk = PostgresPackDesk(evidence.recorder)
    return RequestedPacks(desk, evidence.exporter(), lambda: now or datetime.now(UTC))


async def ask(caller, **body):
    return await caller.post(PATH, json=body, headers=a_key())


def kind(answer):
    return answer.json()["type"].removeprefix("urn:aether:problem:")


async def test_a_pack_is_asked_for_made_and_fetched(platform, account, evidence):
    async with signed_in(platform.app, PORT_BASE, platform.admin, Grant(Duty.AUDITOR)) as auditor:
        since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        key = a_key()
        asked = await auditor.post(PATH, json={"account": account, "since": since}, headers=key)
        assert asked.status_code == 202, asked.text
        again = await auditor.post(PATH, json={"account": account, "since": since}, headers=key)
        pack = asked.json()["pack_id"]
        assert again.json()["pack_id"] == pack
        early = await auditor.get(f"{PATH}/{pack}/file")
        assert (early.status_code, kind(early)) == (409, "pack-not-ready")
        await evidence.checkpoint()
        while (await maker(evidence).look()) is not None:
            pass
        view = (await auditor.get(f"{PATH}/{pack}")).json()
        assert (view["state"], view["requested_by"]) == ("ready", auditor.user)
        assert view["rows"] > 0
        fetched = await auditor.get(f"{PATH}/{pack}/file")
        assert fetched.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
            files = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files["manifest.json"])
        assert {one["name"] for one in manifest["files"]} | {"manifest.json", "manifest.note"} == (
            set(files)
        )
        for one in manifest["files"]:
            assert hashlib.sha256(files[one["name"]]).hexdigest() == one["sha256"]
        assert int(manifest["rows"]) == view["rows"]
        chain = await platform.audited(account, "evidence_fetched")
        assert chain[0]["actor"] == auditor.user
        assert chain[0]["details"]["pack"] == pack


async def test_only_directors_and_auditors_of_the_accounts_see_and_fetch(
    platform, account, evidence
):
    other = await platform.add_account()
    async with (
        signed_in(platform.app, PORT_BASE, platform.admin, Grant(Duty.DIRECTOR, account)) as own,
        signed_in(platform.app, PORT_BASE, platform.admin, Grant(Duty.OPERATOR)) as operator,
        signed_in(platform.app, PORT_BASE, platform.admin, Grant(Duty.AUDITOR)) as auditor,
    ):
        everything = (await ask(auditor)).json()["pack_id"]
        foreign = (await ask(auditor, account=other)).json()["pack_id"]
        mine = (await ask(own, account=account)).json()["pack_id"]
        for refused in (
            await ask(own),
            await ask(own, account=other),
            await ask(operator, account=account),
            await own.get(f"{PATH}/{everything}"),
            await own.get(f"{PATH}/{foreign}/file"),
            await operator.get(f"{PATH}/{mine}"),
        ):
            assert (refused.status_code, kind(refused)) == (403, "no-right")
        listed = {one["pack_id"] for one in (await own.get(PATH)).json()}
        assert mine in listed
        assert not {everything, foreign} & listed
        unknown = await ask(auditor, account="nobody-here")
        assert unknown.status_code == 404
        wrong = await ask(auditor, since="2026-03-02T00:00:00Z", until="2026-03-01T00:00:00Z")
        assert wrong.status_code == 422


async def test_a_pack_that_is_too_large_is_refused_and_old_ones_are_forgotten(
    platform, account, evidence, monkeypatch
):
    async with signed_in(platform.app, PORT_BASE, platform.admin, Grant(Duty.AUDITOR)) as auditor:
        await evidence.checkpoint()
        while (await PostgresPackDesk(evidence.recorder).next_wanted()) is not None:
            await maker(evidence).look()
        kept = (await ask(auditor, account=account)).json()["pack_id"]
        await maker(evidence).look()
        monkeypatch.setattr(requested_packs, "ROWS_MAXIMUM", 0)
        large = (await ask(auditor, account=account)).json()["pack_id"]
        assert await maker(evidence).look() is None
        view = (await auditor.get(f"{PATH}/{large}")).json()
        assert view["state"] == "refused"
        assert "aether audit export-pack" in view["reason"]
        await maker(evidence, datetime.now(UTC) + KEPT + timedelta(minutes=1)).look()
        assert (await auditor.get(f"{PATH}/{kept}")).json()["state"] == "expired"
        gone = await auditor.get(f"{PATH}/{kept}/file")
        assert (gone.status_code, kind(gone)) == (409, "pack-not-ready")


@pytest.mark.parametrize("role", [Role.APP, Role.READER, Role.ADMIN, Role.NOTIFIER, Role.MARKET])
def test_no_other_process_reads_or_makes_packs(postgres, api_database, platform, role):
    with psycopg.connect(postgres.url(role, api_database)) as connection:
        for statement in (
            "SELECT * FROM evidence_pack_files",
            "INSERT INTO evidence_pack_files VALUES ('x', 'y', '')",
            "UPDATE evidence_packs SET state = 'ready'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)
