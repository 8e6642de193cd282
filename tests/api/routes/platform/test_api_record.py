"""How far the record is protected, and all that a search finds as one file."""

import csv
import io
import json

import pytest

from activities.adapters.postgres.record.tree import PostgresRecordTree
from infra.runtime.database.connections import Database, Role
from tests.support.platform import a_key

HALTS = 3


@pytest.fixture
async def platform(without_engine):
    return without_engine


@pytest.fixture
async def integrated(platform, postgres, database_name):
    """An account with rows in the record that searches find."""
    account = await platform.add_account()
    for number in range(HALTS):
        body = {"reason": f'=HYPERLINK("{number}")', "accounts": [account]}
        answer = await platform.caller.post("/api/v1/kill-switch", json=body, headers=a_key())
        assert answer.status_code == 202, answer.text
    recorder = Database(postgres.url(Role.RECORDER, database_name))
    try:
        tree = PostgresRecordTree(recorder)
        while not (await tree.integrate()).complete:
            pass
    finally:
        await recorder.close()
    return platform


async def test_a_record_that_nobody_cosigned_is_not_protected_and_says_so(integrated):
    told = (await integrated.caller.get("/api/v1/record/protection")).json()
    assert told["cosigned_at"] is None
    assert told["fault"] == "no checkpoint of the record was cosigned yet"
    assert (told["size"], told["checkpoints"], told["witnesses"]) == (0, [], 0)
    assert told["unprotected"] >= HALTS


@pytest.mark.parametrize("asked", [{}, {"action": "kill_switch_engaged"}, {"words": "hyperlink"}])
async def test_an_export_holds_what_the_search_finds(integrated, asked):
    found = await integrated.caller.get("/api/v1/audit", params={**asked, "limit": 500})
    wanted = [(row["account_id"], row["sequence"]) for row in found.json()["entries"]]
    assert len(wanted) >= HALTS
    lines = await integrated.caller.get(
        "/api/v1/record/export", params={**asked, "format": "ndjson"}
    )
    rows = [json.loads(line) for line in lines.text.splitlines()]
    assert [(row["account_id"], row["sequence"]) for row in rows] == wanted
    table = await integrated.caller.get("/api/v1/record/export", params=asked)
    assert table.headers["content-type"].startswith("text/csv")
    assert 'filename="audit.csv"' in table.headers["content-disposition"]
    cells = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["account_id"], int(row["sequence"])) for row in cells] == wanted


async def test_no_cell_of_an_export_begins_a_formula(integrated):
    table = await integrated.caller.get("/api/v1/record/export", params={"words": "hyperlink"})
    for row in csv.reader(io.StringIO(table.text)):
        assert not any(cell[:1] in {"=", "+", "-", "@"} for cell in row)


async def test_a_long_export_goes_over_its_pages_once_each(integrated, monkeypatch):
    monkeypatch.setattr("api.routes.platform.record.PAGE", 2)
    found = await integrated.caller.get("/api/v1/audit", params={"limit": 500})
    lines = await integrated.caller.get("/api/v1/record/export", params={"format": "ndjson"})
    hashes = [json.loads(line)["hash"] for line in lines.text.splitlines()]
    assert len(hashes) == len(set(hashes))
    assert set(hashes) >= {row["hash"] for row in found.json()["entries"]}
