"""What a message says: a subject, a text of several lines, and one short enough for a phone."""

from models.trading.governance.notifications.events import page_of
from models.trading.governance.notifications.notice import PLATFORM, Notice

SMS_LENGTH = 300
SUBJECT_LENGTH = 180


def subject_of(notice: Notice, level: int = 0) -> str:
    """Return one line: how urgent, what and where."""
    where = "" if notice.scope == PLATFORM else f" ({notice.scope})"
    again = f" — not acknowledged, reminder {level}" if level else ""
    line = f"[Aether {notice.severity.value}] {notice.title}{where}{again}"
    return " ".join(line.split())[:SUBJECT_LENGTH]


def text_of(notice: Notice, notification: str, level: int = 0, *, control_room: str) -> str:
    """Return the whole message; ``control_room`` is the address that links begin with."""
    page = page_of(notice.event, notice.scope)
    runbook = [f"What to do: {notice.runbook}"] if notice.runbook else []
    need = ["Acknowledge it on the page Alerts of the control room."]
    lines = [
        subject_of(notice, level),
        f"At: {notice.at:%Y-%m-%d %H:%M:%S} UTC",
        f"Event: {notice.event}",
        *([notice.detail] if notice.detail else []),
        *([f"See: {control_room.rstrip('/')}{page}"] if page else []),
        *runbook,
        *(need if notice.severity.needs_acknowledgement else []),
        f"Notification: {notification}",
    ]
    return "\n".join(lines)


def short_text_of(notice: Notice, level: int = 0) -> str:
    """Return what fits into a text message; details stay away from a phone's lock screen."""
    return f"{subject_of(notice, level)} at {notice.at:%H:%M} UTC"[:SMS_LENGTH]
