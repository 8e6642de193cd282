"""How long is waited for what while an order is placed, in protocol time."""

from dataclasses import dataclass
from datetime import timedelta

from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    RateLimitedError,
)

ASKING = timedelta(seconds=4)
"""How long the proof that an order is absent may take where the exchange answers."""


@dataclass(frozen=True, slots=True)
class OrderTimeouts:
    """How long is waited for what, in protocol time.

    Attributes:
        deadline: after it the exchange's engine refuses a delayed request (Kraken: 2 s or more
            ahead when the request arrives, hence the margin).
        delivery: how long after the deadline news of an entry may be on their way to us.
        poll: pause before the first question; each further one is four times as long, for
            questions are scarce and the stream tells of most orders by itself.
        entry_age: an entry that could not be sent for so long is not sent any more.
        stop_sends: sends of one stop within one attempt of the activity whose outcome is unknown.
        refused_sends: the same of sends that were certainly not taken, which need no question.
        refused_pause: pause after each of them.
        rate_pause_maximum: longest pause after a refusal for rate that an attempt waits for.
        hear: how long a live stream is given to tell of a stop whose answer was lost.
        hear_unasked: the same where it could not be asked about as well.
        answer: how long an answer is waited for while the stream lives.
        listen: how long a live stream is given to tell of an entry whose answer was lost: one that
            was bought unheard may have no stop.
        lost_questions: questions without an answer in a row before the attempt is given up.
    """

    deadline: timedelta = timedelta(seconds=2.5)
    delivery: timedelta = timedelta(seconds=1)
    poll: timedelta = timedelta(milliseconds=500)
    entry_age: timedelta = timedelta(seconds=10)
    stop_sends: int = 6
    refused_sends: int = 20
    refused_pause: timedelta = timedelta(milliseconds=250)
    rate_pause_maximum: timedelta = timedelta(seconds=2)
    hear: timedelta = timedelta(milliseconds=100)
    hear_unasked: timedelta = timedelta(milliseconds=300)
    answer: timedelta = timedelta(seconds=1)
    listen: timedelta = timedelta(seconds=1)
    lost_questions: int = 10

    @property
    def proof_seconds(self) -> float:
        """Return how long after its sending an order may be in doubt without a word about it."""
        return (self.deadline + self.delivery + ASKING).total_seconds()

    def pause_after(self, error: ExchangeError) -> timedelta | None:
        """Return how long an attempt waits after a refusal to send again; None: the next one will.

        Keys that are refused, and pauses longer than a stop may be away, are the retry policy's.
        """
        if isinstance(error, ExchangeUnavailableError):
            return self.refused_pause
        if not isinstance(error, RateLimitedError):
            return None
        wanted = timedelta(seconds=error.retry_after_seconds)
        return wanted if wanted <= self.rate_pause_maximum else None


LOCKSTEP_TIMEOUTS = OrderTimeouts(deadline=timedelta(seconds=12), entry_age=timedelta(hours=1))
"""For a market in lockstep, which waits: no trade may depend on how busy the machine is.

An entry that came late would be bought by one run and dropped by another. The deadline leaves its
attempt time to prove an absence (``ORDER`` in ``policies.py``).
"""


def order_timeouts(*, lockstep: bool) -> OrderTimeouts:
    """Return the patience of a market: one in lockstep waits, any other goes on."""
    return LOCKSTEP_TIMEOUTS if lockstep else OrderTimeouts()
