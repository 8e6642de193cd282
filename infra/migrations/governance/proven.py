"""What the database itself asks of an approval, of a new champion and of authors, whoever calls.

The workflows decide; here is what holds even where somebody reaches them, or a role of the
database, without the API: an approval counts only if its person had the right to it and was signed
in and confirmed for it while the request waited.
"""

from collections.abc import Mapping

GRANTED = """
-- Since when somebody is director of an account, NULL where they are none. What concerns the
-- platform takes a director of all accounts.
CREATE FUNCTION director_since(p_user text, p_account text) RETURNS timestamptz LANGUAGE sql STABLE
AS $$
    SELECT min(g.granted_at) FROM person_grants g JOIN people p USING (user_id)
    WHERE g.user_id = p_user AND g.role = 'director' AND p.disabled_at IS NULL
        AND (g.scope = '*' OR g.scope = p_account AND p_account <> 'platform')
$$;

-- As before, but a role that stays keeps its age, and the age is the database's own time: whoever
-- brings people cannot make them older than they are.
CREATE OR REPLACE FUNCTION write_grants(p_user text, p_roles text[], p_scopes text[],
    p_at timestamptz, p_by text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aether.first_director'));
    DELETE FROM person_grants g WHERE g.user_id = p_user AND (g.role, g.scope) NOT IN (
        SELECT role, scope FROM unnest(p_roles, p_scopes) wanted (role, scope));
    INSERT INTO person_grants (user_id, role, scope, granted_at, granted_by)
        SELECT DISTINCT p_user, role, scope, clock_timestamp(), p_by
        FROM unnest(p_roles, p_scopes) wanted (role, scope)
        ON CONFLICT DO NOTHING;
END
$$;
REVOKE EXECUTE ON FUNCTION director_since(text, text) FROM PUBLIC;
"""

DECISIONS = """
-- The accounts that a request concerns: those of its kill switch, or its own.
CREATE FUNCTION concerned_accounts(p_asked approvals) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_asked.subject = 'lift_kill_switch'
            AND jsonb_array_length(p_asked.content::jsonb->'accounts') > 0
        THEN ARRAY(SELECT jsonb_array_elements_text(p_asked.content::jsonb->'accounts'))
        ELSE ARRAY[p_asked.account_id] END
$$;

-- Written by the API alone, in the name of who was authenticated, while the request waits. What is
-- over, or one's own, is answered by the request's workflow: then nothing is noted.
CREATE OR REPLACE FUNCTION note_decision(p_account text, p_approval text, p_by text,
    p_approved boolean, p_at timestamptz, p_token_hash text, p_step_up text
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
    person text := substr(author, 6);
    asked approvals;
    concerned text[];
    account text;
    since timestamptz;
    newest timestamptz := '-infinity';
BEGIN
    IF p_approved AND author NOT LIKE 'user/%' THEN
        RAISE EXCEPTION '% is no person and approves nothing', author USING ERRCODE = 'AE003';
    END IF;
    PERFORM set_config('aether.account_id', p_account, true);
    SELECT * INTO asked FROM approvals a
        WHERE a.account_id = p_account AND a.approval_id = p_approval;
    IF NOT FOUND OR asked.status <> 'pending' OR asked.expires_at <= clock_timestamp()
        OR asked.requested_by = author
    THEN
        RETURN;
    END IF;
    concerned := concerned_accounts(asked);
    FOREACH account IN ARRAY concerned LOOP
        since := director_since(person, account);
        IF since IS NULL THEN
            RAISE EXCEPTION '% is no director of %', author, account USING ERRCODE = 'AE003';
        END IF;
        newest := greatest(newest, since);
    END LOOP;
    -- One person can make another out of nothing, by an invitation or at the machine. Where money
    -- is at stake, everybody else has a day to see it.
    IF newest > clock_timestamp() - interval '24 hours' AND (asked.subject = 'go_live'
        OR EXISTS (SELECT FROM accounts a WHERE a.mode = 'live'
            AND (a.account_id = ANY (concerned) OR 'platform' = ANY (concerned))))
    THEN
        RAISE EXCEPTION '% approves what concerns real money from % on',
            author, to_char((newest + interval '24 hours') AT TIME ZONE 'UTC',
                'YYYY-MM-DD HH24:MI "UTC"') USING ERRCODE = 'AE006';
    END IF;
    IF session_user = 'aether_api' AND NOT EXISTS (SELECT FROM step_ups u
        WHERE u.step_up_id = p_step_up AND u.user_id = person AND u.used_at IS NOT NULL
            AND u.purpose LIKE 'approve%')
    THEN
        RAISE EXCEPTION '% has not confirmed this approval', author USING ERRCODE = 'AE003';
    END IF;
    INSERT INTO approval_decisions VALUES (p_account, p_approval, author, p_approved, p_at,
        p_step_up) ON CONFLICT DO NOTHING;
END
$$;
REVOKE EXECUTE ON FUNCTION concerned_accounts(approvals) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION live_account_ids() TO aether_app;
"""


def lift_kill_switch(functions: str) -> str:
    """Return the function that lifts, so that a request that came to another end lifts nothing.

    Raises:
        ValueError: the function as it was is not what is changed here.
    """
    begins = functions.index("CREATE FUNCTION lift_kill_switch")
    body, mark, _ = functions[begins:].partition("\n$$;")
    old = "AND d.approval_id = entry.lift_approval AND d.decided_by = p_by AND d.approved)"
    if not mark or body.count(old) != 1:
        raise ValueError("lift_kill_switch is not what it was")
    new = f"""{old}
        AND EXISTS (SELECT FROM approvals a WHERE a.account_id = 'platform'
            AND a.approval_id = entry.lift_approval AND a.status IN ('pending', 'approved'))"""
    return body.replace(old, new).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") + mark


CHAMPIONS = """
-- Who trades next is the champion before, or a model that a person has approved: whatever process
-- writes it.
CREATE FUNCTION champion_allowed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    newest champions;
    scope text := current_setting('aether.account_id', true);
    approved boolean;
BEGIN
    SELECT * INTO newest FROM champions ORDER BY number DESC LIMIT 1;
    IF FOUND AND NEW.number = newest.number + 1 AND NEW.model = newest.previous
        AND NEW.previous = 'no-trade'
    THEN
        RETURN NEW;
    END IF;
    PERFORM set_config('aether.account_id', 'platform', true);
    approved := EXISTS (SELECT FROM approvals a
        JOIN approval_decisions d USING (account_id, approval_id, decided_by)
        WHERE a.account_id = 'platform' AND a.approval_id = 'promote-' || NEW.model
        AND a.subject = 'promote_model' AND a.status = 'approved' AND d.approved);
    PERFORM set_config('aether.account_id', coalesce(scope, ''), true);
    IF session_user <> 'aether_learning' OR NOT approved OR NEW.previous <> newest.model THEN
        RAISE EXCEPTION 'nobody has approved that % trades', NEW.model USING ERRCODE = 'AE003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER champion_allowed BEFORE INSERT ON champions
    FOR EACH ROW EXECUTE FUNCTION champion_allowed();
"""

WRITES = {
    "aether_api": (
        "access_denied",
        "backtest_cancelled",
        "backtest_requested",
        "champion_changed",
        "evidence_fetched",
        "evidence_requested",
        "exchange_key_removed",
        "exchange_key_rotated",
        "exchange_key_stored",
        "exchange_key_validated",
        "going_live_requested",
        "kill_switch_workflow_delayed",
        "margin_refused",
        "notification_acknowledged",
        "notification_channel_added",
        "notification_channel_removed",
        "notification_quiet_hours_set",
        "sign_in_failed",
    ),
    "aether_learning": (
        "challenger_named",
        "champion_changed",
        "features_differ",
        "holdout_opened",
        "report_made",
    ),
    "aether_notifier": ("notification_undelivered",),
}
"""What these roles write into the record by themselves; all else comes of the owner's functions, or
of the workflows that have decided."""


WRITES_SINCE = {
    "aether_api": ("training_cancelled",),
    "aether_learning": ("backtest_counted", "drift_measured", "training_ended"),
}
"""What version 0042 lets a role write besides."""


def append_audit(functions: str, more: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """Return the function that appends, with what each role writes by itself.

    ``more`` is what later versions let a role write besides.

    Raises:
        ValueError: the function as it was is not what is changed here.
    """
    begins = functions.index("CREATE OR REPLACE FUNCTION append_audit")
    body, mark, _ = functions[begins:].partition("\n$$;")
    old = "^(token|person|session|factor|access_token|enrolment|recovery|step_up)_'"
    if not mark or body.count(old) != 1:
        raise ValueError("append_audit is not what it was")
    new = "^(token|person|session|factor|access_token|enrolment|recovery|step_up|freeze)_'"
    for role, actions in WRITES.items():
        every = (*actions, *(more or {}).get(role, ()))
        listed = ", ".join(f"'{action}'" for action in every)
        new += f"\n        OR session_user = '{role}' AND p_action NOT IN ({listed})"
    return body.replace(old, new) + mark


# Where people are told (numbers, addresses of webhooks, chats) is for who tells them, and for them.
PRIVATE = """
REVOKE SELECT ON notification_channels, notification_quiet_hours FROM aether_reader, aether_admin;
"""
