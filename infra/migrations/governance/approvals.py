"""Requests for approval: what they carry, and who was authenticated when they were decided."""

APPROVALS = """
ALTER TABLE approvals ADD COLUMN content text NOT NULL DEFAULT '',
    DROP CONSTRAINT approvals_status_check,
    ADD CONSTRAINT approvals_status_check CHECK (status IN
        ('pending', 'approved', 'refused', 'withdrawn', 'lapsed', 'expired', 'outdated'));
ALTER TABLE universe_changes ADD COLUMN approval_id text;
ALTER TABLE going_live_requests ADD COLUMN approval_id text;

-- What a person was authenticated for. ``step_up`` names the confirmation, which holds the evidence
-- of what was shown to them.
CREATE TABLE approval_decisions (
    account_id text NOT NULL,
    approval_id text NOT NULL,
    decided_by text NOT NULL,
    approved boolean NOT NULL,
    at timestamptz NOT NULL,
    step_up text,
    PRIMARY KEY (account_id, approval_id, decided_by, approved)
);

-- Written by the API alone, in the name of who was authenticated. Only people approve.
CREATE FUNCTION note_decision(p_account text, p_approval text, p_by text, p_approved boolean,
    p_at timestamptz, p_token_hash text, p_step_up text
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
BEGIN
    IF p_approved AND author NOT LIKE 'user/%' THEN
        RAISE EXCEPTION '% is no person and approves nothing', author USING ERRCODE = 'AE003';
    END IF;
    INSERT INTO approval_decisions VALUES (p_account, p_approval, author, p_approved, p_at,
        p_step_up) ON CONFLICT DO NOTHING;
END
$$;
REVOKE EXECUTE ON FUNCTION
    note_decision(text, text, text, boolean, timestamptz, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    note_decision(text, text, text, boolean, timestamptz, text, text) TO aether_api;
GRANT SELECT ON approval_decisions TO aether_app;

-- What two people decide is written by the workflows that heard them both; the API asks only.
REVOKE INSERT ON platform_settings_versions, universe_changes, universe_versions FROM aether_api;
REVOKE UPDATE (pairs, refreshed_at) ON universe_versions FROM aether_api;
REVOKE UPDATE (outcome, decided_by, decided_at) ON universe_changes FROM aether_api;
REVOKE UPDATE (approved_by, approved_at) ON going_live_requests FROM aether_api;

-- Asked for before requests had a workflow: to be asked for anew.
UPDATE universe_changes SET outcome = 'refused', decided_by = 'aether', decided_at = now()
    WHERE outcome = 'waiting';
"""
