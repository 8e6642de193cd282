"""A large record in little time: hashed, chained and put into the tree here, brought by COPY.

The record's own trigger takes a millisecond a row. What it would have written is checked by the
database's own functions afterwards: every hash and chain, and that the keeper has nothing to add.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from cli.bench.load import BenchError
from models.trading.governance.record.actions import ACTIONS
from models.trading.governance.record.merkle import GrowingTree, leaf_hash
from models.trading.governance.record.rows import FIRST_HASH, RecordedRow

Tell = Callable[[str], None]

ACCOUNTS = ("company", "director-1", "director-2")
RARE_ACCOUNT = "director-3"
"""One row in a thousand is this account's."""
PEOPLE, KINDS, PRICES = 20, 40, 997
ROWS_OF_A_TRADE = 10
RARE_EVERY = 10_000
TOLD_EVERY = 100_000
PERIOD = timedelta(days=90)

_LEAVES = """CREATE TEMP TABLE brought (leaf_index bigint, account_id text, sequence bigint,
    leaf_hash bytea, request text)"""
_ADD_LEAVES = """INSERT INTO audit_leaves (leaf_index, account_id, sequence, leaf_hash,
        recorded_at, actor, action, correlation, request, words)
    SELECT b.leaf_index, a.account_id, a.sequence, b.leaf_hash, a.recorded_at, a.actor, a.action,
        a.correlation, b.request, audit_words(a)
    FROM brought b JOIN audit_log a USING (account_id, sequence) ORDER BY b.leaf_index"""
_WRONG = """SELECT count(*) FROM audit_log a
    LEFT JOIN audit_log p ON p.account_id = a.account_id AND p.sequence = a.sequence - 1
    WHERE a.hash <> encode(sha256(convert_to(audit_text(a), 'UTF8')), 'hex')
        OR a.previous_hash <> coalesce(p.hash, repeat('0', 64))"""
_SECONDARY = """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = 'audit_leaves'::regclass AND NOT indisunique"""
_COPY_ROWS = """COPY audit_log (account_id, sequence, recorded_at, actor, action, details,
    correlation, context, previous_hash, hash) FROM STDIN"""
_COPY_LEAVES = "COPY brought FROM STDIN"
_COPY_NODES = "COPY audit_nodes (level, node_index, hash) FROM STDIN"


def bring_rows(connection: psycopg.Connection, rows: int, newest: datetime, tell: Tell) -> None:
    """Write a record of so many rows into an empty one, in which its accounts stand already.

    Args:
        connection: as the superuser of a database of the benchmark's own.
        rows: rows of all chains together.
        newest: time of the newest row; the others spread over the ninety days before.
        tell: is told how far it is.

    Raises:
        BenchError: what was brought is not what the record's own trigger would have written.
    """
    tables = ("audit_log", "audit_leaves", "audit_nodes", "audit_heads")
    for table in tables:
        connection.execute(_triggers(table, "DISABLE"))
    connection.execute("TRUNCATE audit_log, audit_leaves, audit_nodes, audit_heads")
    connection.execute(_LEAVES)
    heads, leaves, nodes = _copy_rows(connection, rows, newest, tell)
    tell("rows brought; leaves and indexes of the tree")
    with connection.cursor().copy(_COPY_NODES) as copy:
        copy.set_types(["int2", "int8", "bytea"])
        for node in nodes:
            copy.write_row(node)
    with connection.cursor().copy(_COPY_LEAVES) as copy:
        copy.set_types(["int8", "text", "int8", "bytea", "text"])
        for leaf in leaves:
            copy.write_row(leaf)
    connection.cursor().executemany("INSERT INTO audit_heads VALUES (%s, %s, %s)", heads)
    _add_leaves(connection)
    for table in tables:
        connection.execute(_triggers(table, "ENABLE"))
    tell("checking every hash and chain")
    found = connection.execute(_WRONG).fetchone()
    if found != (0,):
        raise BenchError(f"rows that the record would not have written: {found}")


def _copy_rows(
    connection: psycopg.Connection, rows: int, newest: datetime, tell: Tell
) -> tuple[list[tuple[str, int, str]], list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Copy the rows; return heads of chains, leaves and inner nodes of the tree."""
    tree, heads = GrowingTree(), dict[str, tuple[int, str]]()
    leaves: list[tuple[object, ...]] = []
    nodes: list[tuple[object, ...]] = []
    with connection.cursor().copy(_COPY_ROWS) as copy:
        for index, (row, request) in enumerate(_rows(rows, newest, heads)):
            copy.write_row(
                (
                    row.account,
                    row.sequence,
                    row.recorded_at,
                    row.actor,
                    row.action,
                    row.details,
                    row.correlation,
                    row.context,
                    row.previous_hash,
                    row.hash,
                )
            )
            made = tree.append(leaf_hash(row.content()))
            leaves.append((index, row.account, row.sequence, made[0][1], request))
            nodes += [(node.level, node.index, value) for node, value in made[1:]]
            if index % TOLD_EVERY == 0:
                tell(f"{index:,} of {rows:,} rows")
    return [(account, *head) for account, head in heads.items()], leaves, nodes


def _rows(
    rows: int, newest: datetime, heads: dict[str, tuple[int, str]]
) -> Iterator[tuple[RecordedRow, str]]:
    """Yield rows in the order of their time, with the request that each came of."""
    actions = [action.code for action in ACTIONS[:KINDS]]
    step = PERIOD / rows
    for number in range(rows):
        account = RARE_ACCOUNT if number % 1_000 == 0 else account_of(number)
        sequence, previous = heads.get(account, (0, FIRST_HASH))
        # Of each trade's rows the first was written for a request that came over the API.
        request = request_of(number) if number % ROWS_OF_A_TRADE == 0 else ""
        context = f'{{"code": "bench", "request": "{request}"}}' if request else '{"code": "bench"}'
        moment = newest - PERIOD + step * number
        bare = RecordedRow(
            account=account,
            sequence=sequence + 1,
            recorded_at=moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            actor=f"user/{number % PEOPLE:020}",
            action=actions[number % KINDS],
            correlation=trade_of(number),
            details=_details(number),
            context=context,
            previous_hash=previous,
            hash="",
        )
        row = replace(bare, hash=bare.chain_hash())
        heads[account] = (row.sequence, row.hash)
        yield row, request


def account_of(number: int) -> str:
    """Return whose trade a row is about."""
    return ACCOUNTS[number // ROWS_OF_A_TRADE % len(ACCOUNTS)]


def trade_of(number: int) -> str:
    """Return the correlation of the trade that a row is about."""
    return f"trade/{number // ROWS_OF_A_TRADE}"


def request_of(number: int) -> str:
    """Return the id of the request that a row's trade came of."""
    return f"user/{number % PEOPLE:020}/{number // ROWS_OF_A_TRADE:012}"


def _details(number: int) -> str:
    """Return details as PostgreSQL writes jsonb: shorter keys first."""
    note = "quarantine" if number % RARE_EVERY == 0 else "usual"
    price, trade = 50_000 + number % PRICES, number // ROWS_OF_A_TRADE
    return (
        f'{{"note": "{note}", "price": "{price}", "trade": "{trade}", '
        '"reason": "volatility moved beyond the band"}'
    )


def _add_leaves(connection: psycopg.Connection) -> None:
    secondary = connection.execute(_SECONDARY).fetchall()
    for name, _ in secondary:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
    connection.execute("ANALYZE audit_log, brought")
    connection.execute(_ADD_LEAVES)
    for _, definition in secondary:
        connection.execute(sql.SQL(definition))


def _triggers(table: str, what: str) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} " + what + " TRIGGER USER").format(sql.Identifier(table))
