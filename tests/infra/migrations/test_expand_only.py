"""A migration that calls itself expand-only adds, and takes nothing away that older code needs."""

import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from infra.runtime.database.setup import MIGRATIONS

TAKES_AWAY = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN|TYPE|SCHEMA)|RENAME\b|SET\s+NOT\s+NULL|TRUNCATE\s+(?!ON\b)\w"
    r"|ALTER\s+COLUMN\s+\w+\s+TYPE|ADD\s+COLUMN\s+(?![^;]*DEFAULT)[^;]*NOT\s+NULL)",
    re.IGNORECASE,
)
SCRIPTS = [
    one
    for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    if getattr(one.module, "expand_only", False)
]


def sources(script):
    """Return the text of a migration and of the modules of SQL that it names."""
    text = Path(script.path).read_text()
    modules = re.findall(r"from (infra\.migrations\.[\w.]+) import", text)
    files = [MIGRATIONS.parents[1] / (one.replace(".", "/") + ".py") for one in modules]
    return "\n".join([text, *(file.read_text() for file in files)])


def test_some_migration_says_so():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.revision)
def test_it_takes_nothing_away(script):
    assert TAKES_AWAY.findall(sources(script)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE orders DROP COLUMN fee",
        "ALTER TABLE orders RENAME COLUMN fee TO fees",
        "ALTER TABLE orders ALTER COLUMN fee SET NOT NULL",
        "ALTER TABLE orders ALTER COLUMN fee TYPE text",
        "ALTER TABLE orders ADD COLUMN x text NOT NULL",
        "DROP TABLE orders",
        "TRUNCATE orders",
    ],
)
def test_what_takes_away_is_found(statement):
    assert TAKES_AWAY.search(statement)
