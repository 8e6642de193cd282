"""What roles write into the record by themselves besides what earlier versions let them."""

from infra.migrations.governance.proven import WRITES_SINCE, append_audit
from infra.migrations.people.acting import ACTING

DISCLOSED = {
    **WRITES_SINCE,
    "aether_api": (*WRITES_SINCE["aether_api"], "data_exported", "payloads_decoded"),
    "aether_learning": (*WRITES_SINCE["aether_learning"], "training_begun"),
}
MACHINE_ALONE = ("payload_key_forgotten", "payload_key_rotated")
"""Done at the machine with the store of secrets in hand: no process says that of itself."""


def append_audit_since() -> str:
    """Return the function that appends, with what version 0044 lets roles write.

    Raises:
        ValueError: the function as it was is not what is changed here.
    """
    body = append_audit(ACTING, DISCLOSED)
    old = "|step_up|freeze)_'"
    if body.count(old) != 1:
        raise ValueError("append_audit is not what it was")
    listed = ", ".join(f"'{action}'" for action in MACHINE_ALONE)
    return body.replace(
        old, f"{old}\n        OR session_user <> 'aether_admin' AND p_action IN ({listed})"
    )
