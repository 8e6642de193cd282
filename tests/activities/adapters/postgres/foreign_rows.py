"""A row of two accounts in every table that has an account, whatever the table is about.

Everything comes from the catalogue, so that a new table is tried without being listed anywhere.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

OWN, OTHER = "company", "director-1"

TABLES = """
    SELECT n.nspname || '.' || c.relname, EXISTS (SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%'
        AND n.nspname <> 'information_schema' ORDER BY 1
"""
COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, NULL), t.typcategory
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated = '' AND a.attidentity <> 'a' ORDER BY a.attnum
"""
CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'"
GRANTED = """
    SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0
        AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
        AND has_column_privilege(%(role)s, %(table)s, a.attname, %(what)s) ORDER BY a.attnum
"""


def tables(owner: psycopg.Connection) -> dict[str, bool]:
    """Return every table and view by its name, and whether it has an account."""
    return dict(owner.execute(TABLES).fetchall())


@dataclass(frozen=True)
class Filled:
    """A table with a row of each account, and one more of the other's that is not in it."""

    name: str
    columns: tuple[str, ...]
    foreign: str


def fill(owner: psycopg.Connection, names: Iterable[str]) -> list[Filled]:
    """Put a row of two accounts into each table, against whatever a row must look like.

    Triggers stay off: what refuses afterwards is a grant or row-level security, nothing else.
    """
    owner.execute("SET session_replication_role = 'replica'")
    return [_filled(owner, name) for name in names]


def _filled(owner: psycopg.Connection, name: str) -> Filled:
    table = sql.SQL(name)
    columns = owner.execute(COLUMNS, [name]).fetchall()
    for (check,) in owner.execute(CHECKS, [name]).fetchall():
        owner.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(check))
        )
    owner.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
    for number, account in ((1, OWN), (2, OTHER)):
        owner.execute(_insert(name, [one[0] for one in columns]), [_row(columns, account, number)])
    return Filled(name, tuple(one[0] for one in columns), _row(columns, OTHER, 3))


def _row(columns: list[tuple[str, str, str]], account: str, number: int) -> str:
    values = {name: _value(kind, category, number) for name, kind, category in columns}
    return json.dumps(values | {"account_id": account})


def _value(kind: str, category: str, number: int) -> Any:
    if kind == "tsvector":
        return f"word{number}"
    if kind == "bytea":
        return f"\\x{number:064x}"
    if kind in ("json", "jsonb"):
        return {"number": number}
    by_category = {
        "A": [],
        "B": True,
        "D": f"2026-01-0{number}T00:00:00Z",
        "T": f"{number} minutes",
        "N": number,
    }
    return by_category.get(category, f"text-{number}")


def _insert(name: str, columns: Iterable[str]) -> sql.Composed:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(
        "INSERT INTO {0} ({1}) SELECT {1} FROM json_populate_record(NULL::{0}, %s)"
    ).format(sql.SQL(name), listed)


class Intruder:
    """A role of the database that stands in one account and reaches for another's rows.

    It asks for all rows rather than for those of an account: a role may be granted columns that do
    not say whose a row is.
    """

    def __init__(self, connection: psycopg.Connection, role: str) -> None:
        self._connection = connection
        self._role = role
        self._own = 0

    def stand_in(self, account: str) -> None:
        """Take an account, or none, as the scope of what follows."""
        self._connection.execute("SELECT set_config('aether.account_id', %s, false)", [account])
        self._own = int(account in (OWN, OTHER))

    def sees(self, table: Filled) -> int | None:
        """Return how many rows are seen, None where nothing may be read."""
        for column in self._granted(table, "SELECT"):
            query = sql.SQL("SELECT count(*) FROM (SELECT {} FROM {}) AS seen")
            return self._tried(query.format(column, sql.SQL(table.name)), [], fetch=True)
        return None

    def reaches(self, table: Filled) -> set[str]:
        """Return what can be done to the other account's rows: nothing, if all is well."""
        name, found = sql.SQL(table.name), set()
        if (self.sees(table) or 0) > self._own:
            found.add("reads")
        if self._tried(_insert(table.name, table.columns), [table.foreign]):
            found.add("adds")
        for column in self._granted(table, "UPDATE"):
            change = sql.SQL("UPDATE {0} SET {1} = {1}").format(name, column)
            if (self._tried(change, []) or 0) > self._own:
                found.add("changes")
        if self._tried(sql.SQL("UPDATE {} SET account_id = %s").format(name), [OTHER]):
            found.add("moves")
        if (self._tried(sql.SQL("DELETE FROM {}").format(name), []) or 0) > self._own:
            found.add("deletes")
        if self._tried(sql.SQL("TRUNCATE {} CASCADE").format(name), []) is not None:
            found.add("empties")
        return found

    def _granted(self, table: Filled, what: str) -> list[sql.Identifier]:
        asked = {"table": table.name, "role": self._role, "what": what}
        return [sql.Identifier(row[0]) for row in self._connection.execute(GRANTED, asked)]

    def _tried(self, statement: sql.Composed, values: list[str], *, fetch: bool = False) -> Any:
        """Return the number of rows, None where it is refused; whatever was done is undone."""
        try:
            with self._connection.transaction(force_rollback=True):
                cursor = self._connection.execute(statement, values)
                return cursor.fetchone()[0] if fetch else cursor.rowcount
        except psycopg.errors.InsufficientPrivilege:
            return None
