"""What a superuser does to the record with triggers off, and what must be found of it."""

from models.trading.governance.record.verdicts import Fault

REHASH = """
DO $$ DECLARE r audit_log; previous text := repeat('0', 64);
BEGIN
    FOR r IN SELECT * FROM audit_log WHERE account_id = 'company' ORDER BY sequence LOOP
        r.previous_hash := previous;
        r.hash := encode(sha256(convert_to(audit_text(r), 'UTF8')), 'hex');
        UPDATE audit_log SET previous_hash = r.previous_hash, hash = r.hash
            WHERE account_id = r.account_id AND sequence = r.sequence;
        previous := r.hash;
    END LOOP;
    UPDATE audit_heads SET hash = previous WHERE account_id = 'company';
END $$
"""
"""Compute a chain's hashes anew, so that it holds."""

HEAD_BACK = """UPDATE audit_heads h SET (sequence, hash) = (SELECT sequence, hash FROM audit_log a
    WHERE a.account_id = 'company' ORDER BY sequence DESC LIMIT 1) WHERE account_id = 'company'"""

CUT = ("DELETE FROM audit_log WHERE account_id = 'company' AND sequence > 8", HEAD_BACK)
DROP = (
    "DELETE FROM audit_log WHERE account_id = 'director-1'",
    "DELETE FROM audit_heads WHERE account_id = 'director-1'",
)
REWRITE = (
    "UPDATE audit_log SET actor = 'x' WHERE account_id = 'company' AND sequence = 3",
    REHASH,
)
REORDER = (
    """UPDATE audit_log a SET (details, actor) = (SELECT b.details, 'moved' FROM audit_log b
       WHERE b.account_id = 'company' AND b.sequence = 9 - a.sequence)
       WHERE a.account_id = 'company' AND a.sequence IN (4, 5)""",
    REHASH,
)
EDIT = ("UPDATE audit_log SET actor = 'x' WHERE account_id = 'company' AND sequence = 3",)
DELETE = ("DELETE FROM audit_log WHERE account_id = 'company' AND sequence = 3",)
DROP_ACCOUNT = (
    *DROP,
    "SET session_replication_role = replica",
    "DELETE FROM accounts WHERE account_id = 'director-1'",
)

INSERT = (
    """UPDATE audit_log SET sequence = -sequence - 1 WHERE account_id = 'company'
       AND sequence >= 4""",
    "UPDATE audit_log SET sequence = -sequence WHERE account_id = 'company' AND sequence < 0",
    """DO $$ DECLARE r audit_log;
    BEGIN
        SELECT * INTO r FROM audit_log WHERE account_id = 'company' AND sequence = 3;
        r.sequence := 4;
        r.actor := 'x';
        INSERT INTO audit_log VALUES (r.*);
        UPDATE audit_heads SET sequence = sequence + 1 WHERE account_id = 'company';
    END $$""",
    REHASH,
)

FORGET_TREE = (
    "DELETE FROM audit_leaves",
    "DELETE FROM audit_nodes",
    "DELETE FROM audit_checkpoints",
)
"""Whoever knows of the tree has it built anew over what is left."""

ATTACKS = {
    "edit": (EDIT, Fault.CHANGED, "row 3 of company"),
    "delete": (DELETE, Fault.MISSING, "row 3 of company"),
    "tail cut with the head moved back": (CUT, Fault.MISSING, "row 9 of company"),
    "chain deleted with its head": (DROP, Fault.MISSING, "row 1 of director-1"),
    "rewrite with rehash": (REWRITE, Fault.CHANGED, "row 3 of company"),
    "reorder with rehash": (REORDER, Fault.CHANGED, "row 4 of company"),
    "insert with rehash": (INSERT, Fault.CHANGED, "row 4 of company"),
    "dropped account": (DROP_ACCOUNT, Fault.MISSING, "row 1 of director-1"),
}
