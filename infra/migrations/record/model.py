"""Which learned model stands behind what a row tells, in the row's origin.

A model's decision on an idea is written down before any account hears of the idea, so that it is
there when the first row is written: a row that names the idea has its version, and so does every
row of the trade that came of it. Whoever was no learned model has none.
"""

from infra.migrations.record.context import CONTEXT

MODEL = """
-- In the scope of the account, as the context.
CREATE FUNCTION audit_model(entry audit_log) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT p.version FROM champion_predictions p WHERE p.taken AND p.idea_id = substr(coalesce(
        CASE WHEN entry.details->>'idea' LIKE 'idea/%' THEN entry.details->>'idea' END,
        CASE WHEN entry.details->>'request' LIKE 'idea/%' THEN entry.details->>'request' END,
        CASE WHEN entry.correlation ~ '^trade/[0-9]{1,9}$' THEN (SELECT t.source FROM trades t
            WHERE t.account_id = entry.account_id AND t.source LIKE 'idea/%'
                AND t.number = substr(entry.correlation, 7)::integer) END), 6)
$$;
REVOKE EXECUTE ON FUNCTION audit_model(audit_log) FROM PUBLIC;
"""


def with_model() -> str:
    """Return the statements by which each row is written with the model behind it.

    Raises:
        ValueError: the function as it was is not what is changed here.
    """
    begins = CONTEXT.index("CREATE OR REPLACE FUNCTION audit_chain")
    body, mark, _ = CONTEXT[begins:].partition("\n$$;")
    old = "NEW.context := audit_context(NEW.account_id);"
    if not mark or body.count(old) != 1:
        raise ValueError("audit_chain is not what it was")
    new = """NEW.context := audit_context(NEW.account_id)
        || jsonb_strip_nulls(jsonb_build_object('model', audit_model(NEW)));"""
    return MODEL + body.replace(old, new) + mark
