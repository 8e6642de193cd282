"""What a restored record starts with: stopped, with nothing that anybody had been granted.

A restore brings back what was valid then: tokens revoked since, approvals decided since, halts
lifted since, and numbers of trades and events that have been given away since. None of it may
count.
"""

import hashlib
import json
from datetime import datetime

import psycopg

from infra.stack.own_token import NAME

TRADES_SKIPPED = 1_000_000
"""Numbers of trades left out in each account: the ids of orders derive from them, and those that
were sent after the backup must not be given to other orders."""

NONCES_SKIPPED = 60 * 10**9
"""Nanoseconds: a nonce of a minute from now is above every one that was used before."""

_CHAINS = 'SELECT account_id FROM accounts ORDER BY account_id COLLATE "C"'
_AUDIT = "SELECT write_audit(%s, 'aether', 'restored', %s::jsonb, %s)"
_SWITCH = """
    SELECT engage_kill_switch(%(number)s, %(accounts)s::text[], false, %(reason)s, 'aether',
        %(at)s, NULL)
"""
_VOID = (
    "UPDATE api_tokens SET revoked_at = %(at)s WHERE revoked_at IS NULL AND name <> %(own)s",
    """UPDATE api_tokens SET token_hash = %(hash)s, created_at = %(at)s, last_used_at = NULL,
        expires_at = %(at)s + interval '90 days' WHERE name = %(own)s AND revoked_at IS NULL""",
    """UPDATE approvals SET status = 'outdated', decided_by = 'aether', decided_at = %(at)s,
        reason = 'restored from a backup' WHERE status = 'pending'""",
    """UPDATE universe_changes SET outcome = 'refused', decided_by = 'aether', decided_at = %(at)s
        WHERE outcome = 'waiting'""",
    "UPDATE going_live_requests SET used_at = %(at)s WHERE used_at IS NULL",
    """UPDATE person_sessions SET revoked_at = %(at)s, revoked_by = 'aether'
        WHERE revoked_at IS NULL""",
    """UPDATE access_tokens SET revoked_at = %(at)s, revoked_by = 'aether'
        WHERE revoked_at IS NULL""",
    "UPDATE step_ups SET used_at = %(at)s WHERE used_at IS NULL",
    "UPDATE recovery_codes SET used_at = %(at)s WHERE used_at IS NULL",
    """UPDATE enrolments SET expires_at = least(expires_at, %(at)s), used_at = %(at)s
        WHERE used_at IS NULL""",
    """UPDATE recoveries SET cancelled_at = %(at)s, cancelled_by = 'aether'
        WHERE cancelled_at IS NULL AND used_at IS NULL""",
    "UPDATE accounts SET next_trade = next_trade + %(skipped)s",
    "UPDATE event_switch SET epoch = epoch + 1",
    """UPDATE api_key_nonces SET high_water = greatest(high_water,
        (extract(epoch FROM %(at)s::timestamptz) * 1000000000)::bigint) + %(nonces)s""",
)


def halt_restored(url: str, backup: str, known_until: datetime, token: str, at: datetime) -> int:
    """Stop every account, void what was granted, and write into the audit that and why.

    Args:
        url: the restored record, as its superuser.
        backup: the name of the backup that it comes from.
        known_until: the moment after which nothing is in it.
        token: the administrator's new token.
        at: protocol time of the restore.

    Returns:
        the number of the kill switch, which only a person lifts, after the exchange was asked.
    """
    details = {
        "backup": backup,
        "nothing_known_since": known_until.isoformat(),
        "restored_at": at.isoformat(),
        "gap_seconds": f"{(at - known_until).total_seconds():.0f}",
    }
    values = {
        "at": at,
        "own": NAME,
        "hash": hashlib.sha256(token.encode()).hexdigest(),
        "skipped": TRADES_SKIPPED,
        "nonces": NONCES_SKIPPED,
    }
    with psycopg.connect(url) as connection:
        accounts = [str(row[0]) for row in connection.execute(_CHAINS)]
        for statement in _VOID:
            connection.execute(statement, values)
        for chain in sorted([*accounts, "platform"]):
            connection.execute(_AUDIT, [chain, json.dumps(details), backup])
        row = connection.execute("SELECT nextval('kill_switch_numbers')").fetchone()
        assert row is not None
        number = int(row[0])
        reason = (
            f"restored from backup {backup}: nothing is known of what happened between "
            f"{known_until:%Y-%m-%d %H:%M:%S} and {at:%Y-%m-%d %H:%M:%S} UTC"
        )
        engagement = {"number": number, "accounts": accounts, "reason": reason, "at": at}
        connection.execute(_SWITCH, engagement)
        connection.execute(
            "UPDATE kill_switches SET after_restore = true WHERE number = %s", [number]
        )
    return number
