"""Every table of the catalogue, tried as the wrong account under every role of a process.

Nothing is listed that the catalogue can say. What is listed is why a role may see more than its
account, and why a table has no account; a table that is new and in neither fails.
"""

import psycopg
import pytest

from infra.runtime.database.connections import Role
from tests.activities.adapters.postgres.foreign_rows import OTHER, OWN, Intruder, fill, tables

PROCESSES = [role for role in Role if role is not Role.OWNER]

SEEN_ACROSS_ACCOUNTS = {
    (Role.MARKET, "accounts"): ({"reads"}, "follows markets for all: names and strategies only"),
    (Role.MARKET, "price_watches"): ({"reads", "changes"}, "rings the watches of every account"),
    (Role.MARKET, "strategy_results"): (
        {"reads"},
        "weighs ideas by results, whose they are unsaid",
    ),
    (Role.RECORDER, "audit_heads"): ({"reads"}, "the tree is one over all chains"),
    (Role.RECORDER, "audit_log"): ({"reads"}, "the tree is one over all chains"),
    (Role.RECORDER, "audit_leaves"): ({"reads", "adds"}, "the tree is one over all chains"),
}
"""What a role reaches of other accounts, and why."""

SEEN_LESS = {
    (Role.LEARNING, "public.strategy_results"): "adds what backtests prove, and reads that alone",
}
"""What a role does not even see of the account that it stands in, and why."""

WITHOUT_ACCOUNT = {
    "who people are and how they sign in; read by functions of the owner alone": """
        access_tokens api_tokens enrolments people person_factors person_grants person_sessions
        recoveries recovery_codes step_ups""",
    "counts failures, of names that nobody has too; the API's own": "sign_in_failures",
    "where people are told, which is for them and for who tells them": """
        notification_channels notification_quiet_hours""",
    "what people are told; the API shows each person those of their accounts": """
        notification_cursors notification_deliveries notification_occurrences notifications""",
    "stops several accounts at once, which every person may see": "kill_switches",
    "copies of the record for whoever may export them, which the API asks for each pack": """
        evidence_pack_files evidence_packs""",
    "hashes over all chains, from which no row can be read": "audit_checkpoints audit_nodes",
    "holds for the whole installation": """
        alembic_version change_freezes event_switch freeze_breaks platform_settings
        platform_settings_versions universe_changes universe_proposals universe_versions
        sanctions_lists""",
    "market data, the same for everybody": """
        candles correlations history_batches history_candles history_cursors history_imports
        history_series history_trades market_data_work market_figures market_quality_events
        market_snapshots sentiment_values""",
    "research on market data, without any account's trades": """
        backtest_pages backtest_results backtests champion_predictions champions feature_replays
        holdout_openings model_versions prediction_outcomes training_runs training_verdicts
        shadow_ends shadows trials""",
}
"""Why tables have no account."""


@pytest.fixture(scope="module")
def owner(superuser_url, database_name):
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def filled(owner):
    """A row of two accounts in each table that has one; the database is this module's own."""
    found = fill(owner, [name for name, has_account in tables(owner).items() if has_account])
    assert len(found) >= 40
    return found


def test_every_table_has_an_account_or_a_reason_for_having_none(owner):
    named = [name for listed in WITHOUT_ACCOUNT.values() for name in listed.split()]
    assert len(named) == len(set(named))
    found = {name.removeprefix("public.") for name, owned in tables(owner).items() if not owned}
    assert found == set(named)


@pytest.mark.parametrize("scope", [OWN, "", "platform", "*"], ids=lambda scope: scope or "none")
@pytest.mark.parametrize("role", PROCESSES)
def test_no_role_reaches_a_row_of_another_account(postgres, database_name, filled, role, scope):
    with psycopg.connect(postgres.url(role, database_name), autocommit=True) as connection:
        intruder = Intruder(connection, role)
        intruder.stand_in(scope)
        reached = {table.name.removeprefix("public."): intruder.reaches(table) for table in filled}
    expected = {
        table: verbs for (who, table), (verbs, _) in SEEN_ACROSS_ACCOUNTS.items() if who is role
    }
    assert {table: verbs for table, verbs in reached.items() if verbs} == expected


def test_each_role_that_may_read_sees_the_row_of_the_account_it_stands_in(
    postgres, database_name, filled
):
    """What the test above does not reach is there to be reached."""
    seen = {}
    for role in PROCESSES:
        with psycopg.connect(postgres.url(role, database_name), autocommit=True) as connection:
            intruder = Intruder(connection, role)
            intruder.stand_in(OTHER)
            seen[role] = {t.name: n for t in filled if (n := intruder.sees(t)) is not None}
    for role, found in seen.items():
        alone = {name for name in found if (role, name.removeprefix("public.")) not in
                 SEEN_ACROSS_ACCOUNTS}  # fmt: skip
        expected = {name: 0 if (role, name) in SEEN_LESS else 1 for name in alone}
        assert {name: found[name] for name in alone} == expected, role
    assert set().union(*seen.values()) == {table.name for table in filled}
    assert {role for role, found in seen.items() if not found} == {
        Role.EXCHANGE,
        Role.NOTIFIER,
        Role.REGISTRY,
    }


def test_a_table_whose_protection_was_taken_away_is_found(postgres, database_name, owner, filled):
    outbox = next(table for table in filled if table.name == "public.event_outbox")
    with psycopg.connect(postgres.url(Role.EVENTS, database_name), autocommit=True) as connection:
        intruder = Intruder(connection, Role.EVENTS)
        intruder.stand_in(OWN)
        assert intruder.reaches(outbox) == set()
        owner.execute("ALTER TABLE event_outbox DISABLE ROW LEVEL SECURITY")
        try:
            assert intruder.reaches(outbox) == {"reads", "deletes"}
        finally:
            owner.execute("ALTER TABLE event_outbox ENABLE ROW LEVEL SECURITY")
