"""What proves that an order which was sent and never answered does not exist (§8, §14.1).

Kraken's reads may lag behind the engine by a minute and more, so that a read which does not show an
order proves nothing by itself, however long ago it was sent. The private stream comes from the
engine. Proof is either of:

1. The stream: whole since before the sending; or whole since a snapshot that reaches back before
   it. A snapshot names every open order and the last 50 executions, so it reaches back to any
   execution that is newer than its oldest, or over the whole history where it names fewer than 50.
   A ping answered after the order's deadline shows that the stream is alive.
2. The reads: those that do not show the order show an order of ours that was sent after the
   deadline. A market order is looked for among the closed ones, any other in both places.

By the first way the end of an order is proven as well whose cancel was answered.

An account is never in doubt for ever: a new snapshot can be asked for as often as wanted, which
costs none of the key's counters.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from activities.adapters.kraken.rest.orders import sendable_quantities
from activities.adapters.kraken.stream.private_stream import PrivateStream
from activities.ports.exchange import SentOrder
from models.trading.orders import OrderReport, OrderSpec, OrderStatus

CONFIRM_SECONDS = 1.0
"""How long the answer to a ping may take."""
SNAPSHOT_SECONDS = 3.0
_REMEMBERED = 1_000

IsIt = Callable[[OrderReport], bool]


class Side(StrEnum):
    """A place where orders are read."""

    OPEN = "open"
    CLOSED = "closed"


class AbsenceProofs:
    """Keeps what the last reads showed and what was sent when; asks the stream for proof."""

    def __init__(self, stream: PrivateStream) -> None:
        self._stream = stream
        self._sent: OrderedDict[str, datetime] = OrderedDict()
        self._reads: dict[Side, Sequence[OrderReport]] = {}

    def note_sent(self, order_id: str, at: datetime) -> None:
        """Remember an order that the exchange has taken and when it was sent, in our time."""
        self._sent[order_id] = at
        while len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def note_read(self, side: Side, reports: Sequence[OrderReport]) -> None:
        """Take what the newest read showed."""
        self._reads[side] = reports

    async def prove(self, sent: SentOrder, is_it: IsIt) -> bool:
        """Tell whether the order would be known by now if it existed."""
        return await self._by_stream(sent) or self._by_reads(sent, is_it)

    async def proves_end(self, known: Callable[[], OrderReport | None]) -> OrderReport | None:
        """Return how an order has ended whose cancel was answered, None when nothing proves it.

        A snapshot that is newer than the answer does not name it as open, and its executions reach
        back before the order was opened: what they do not add to it was not executed.
        """
        if not await self._stream.renew(SNAPSHOT_SECONDS):
            return None
        shot, report = self._stream.snapshot, known()
        if shot is None or report is None or not self._stream.is_whole_since(shot):
            return None
        if report.status.is_final:
            return report
        opened = report.opened_at
        reaches = shot.oldest is None or (opened is not None and shot.oldest < opened)
        if not reaches or report.order_id in shot.open_orders:
            return None
        return replace(report, status=OrderStatus.CANCELED)

    async def _by_stream(self, sent: SentOrder) -> bool:
        stream = self._stream
        if not await stream.confirm(CONFIRM_SECONDS):
            return False
        if stream.reaches_back(sent.heard_since, sent.after):
            return True
        shot = stream.snapshot
        stale = shot is None or shot.taken_at <= sent.deadline or not stream.is_whole_since(shot)
        if not stale or not await stream.renew(SNAPSHOT_SECONDS):
            return False
        return stream.reaches_back(None, sent.after)

    def _by_reads(self, sent: SentOrder, is_it: IsIt) -> bool:
        resting = not sent.order.ends_at_once
        sides = (Side.OPEN, Side.CLOSED) if resting else (Side.CLOSED,)
        return all(
            self._is_newer(self._reads.get(side, ()), sent.deadline)
            and not any(is_it(one) for one in self._reads[side])
            for side in sides
        )

    def _is_newer(self, reports: Iterable[OrderReport], deadline: datetime) -> bool:
        sent = (self._sent.get(one.order_id) for one in reports)
        return any(at is not None and at > deadline for at in sent)


def is_order(order: OrderSpec, report: OrderReport) -> bool:
    """Tell whether a report is of an intended order."""
    if order.close is None:
        return report.client_order_id == order.client_order_id
    return (
        report.userref == order.userref
        and report.parent_order_id is None
        # A spelling that nobody knows yet is that of a pair that was renamed.
        and (report.symbol == order.symbol or "/" not in report.symbol)
        and report.side is order.side
        and report.order_type is order.order_type
        and report.quantity in sendable_quantities(order.quantity)
    )
