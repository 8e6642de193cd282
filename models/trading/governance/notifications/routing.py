"""Who is told what, over which channel and when; and when the others are told too."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.trading.governance.notifications.notice import PLATFORM, Notice, Severity
from models.trading.governance.rights import ALL_ACCOUNTS, Grant, Role

ANY_EVENT = "*"


class ChannelKind(StrEnum):
    """How somebody is reached."""

    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local hours in which a person is told only what is critical.

    Attributes:
        begins: first minute of them.
        ends: first minute after them; the same as ``begins``: there are none. It may lie on the
            next day.
        zone: IANA name of the time zone.
    """

    begins: time
    ends: time
    zone: str

    def wait(self, now: datetime) -> timedelta:
        """Return how long they still last, zero outside of them."""
        local = now.astimezone(ZoneInfo(self.zone))
        here = local.time()
        within = (
            self.begins <= here < self.ends
            if self.begins <= self.ends
            else here >= self.begins or here < self.ends
        )
        if not within:
            return timedelta(0)
        end = local.replace(
            hour=self.ends.hour, minute=self.ends.minute, second=0, microsecond=0, fold=0
        )
        if here >= self.ends:
            end += timedelta(days=1)
        # Both in UTC: across a change of the clocks local times differ by another span.
        utc = ZoneInfo("UTC")
        return max(timedelta(0), end.astimezone(utc) - now.astimezone(utc))


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach a person, and what comes over it.

    Attributes:
        minimum: the least severity.
        events: the events that come over it; ``*``: every one.
    """

    channel: str
    kind: ChannelKind
    address: str
    minimum: Severity = Severity.INFORMATION
    events: tuple[str, ...] = (ANY_EVENT,)

    def takes(self, notice: Notice) -> bool:
        """Tell whether a notice comes over it."""
        chosen = ANY_EVENT in self.events or notice.event in self.events
        return chosen and notice.severity.rank >= self.minimum.rank


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person as far as telling them matters."""

    user: str
    grants: tuple[Grant, ...]
    channels: tuple[Channel, ...]
    quiet: QuietHours | None = None

    def may_know(self, scope: str) -> bool:
        """Tell whether something about an account is for their eyes; the platform is for all."""
        return any(scope == PLATFORM or grant.covers(scope) for grant in self.grants)

    def answers_for(self, scope: str) -> bool:
        """Tell whether they are told when nobody has acknowledged: directors of the account."""
        return any(
            grant.role is Role.DIRECTOR
            and (grant.account == ALL_ACCOUNTS or grant.covers(scope) or scope == PLATFORM)
            for grant in self.grants
        )


@dataclass(frozen=True, slots=True)
class Escalation:
    """When more people are told.

    Attributes:
        after: how long something critical waits for an acknowledgement before every director is
            told over every channel, quiet hours or not.
        every: how long until they are told again.
        times: how often, at most.
        quiet_period: how long after a message the same incident is not told again.
    """

    after: timedelta = timedelta(minutes=5)
    every: timedelta = timedelta(minutes=30)
    times: int = 12
    quiet_period: timedelta = timedelta(minutes=15)

    def due(self, severity: Severity, level: int) -> timedelta | None:
        """Return how long after a level's messages the next level's go out, None: never."""
        if severity is not Severity.CRITICAL or level >= self.times:
            return None
        return self.after if level == 0 else self.every


@dataclass(frozen=True, slots=True)
class Route:
    """One message to send: over which channel, to whom, and how long it waits first."""

    channel: str
    user: str
    kind: ChannelKind
    wait: timedelta


def routes(
    notice: Notice, recipients: Iterable[Recipient], now: datetime, *, level: int = 0
) -> list[Route]:
    """Return the messages of a notice.

    Args:
        notice: what has happened.
        recipients: everybody.
        now: protocol time.
        level: 0 for the first messages; above it nobody has acknowledged those before.
    """
    found = []
    for person in recipients:
        if not person.may_know(notice.scope):
            continue
        if notice.recipients and person.user not in notice.recipients:
            continue
        escalated = level > 0 and person.answers_for(notice.scope)
        if level > 0 and not escalated:
            continue
        urgent = notice.severity is Severity.CRITICAL
        quiet = person.quiet.wait(now) if person.quiet and not urgent else timedelta(0)
        found += [
            Route(channel.channel, person.user, channel.kind, quiet)
            for channel in person.channels
            if escalated or notice.recipients or channel.takes(notice)
        ]
    return found
