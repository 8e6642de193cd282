"""Exits as the API takes them, in the domain's words."""

from dataclasses import replace
from datetime import timedelta

from api.messages.bodies import MoreExits
from api.messages.decisions import ChangeExits
from models.trading.exits.requests import ExitsChange
from models.trading.exits.rules import PartialTake


def more_exits(body: MoreExits) -> ExitsChange | None:
    """Return the exits beyond stop and target, None when none was given."""
    change = _change(body)
    return None if change == ExitsChange() else change


def exits_change(body: ChangeExits) -> ExitsChange:
    """Return a change of any exit."""
    return replace(
        _change(body),
        stop_price=body.stop_price,
        take_profit_price=body.take_profit_price,
        trailing_distance=body.trailing_distance,
        cleared=tuple(body.clear),
    )


def _change(body: MoreExits) -> ExitsChange:
    seconds, partials = body.hold_seconds, body.partials
    return ExitsChange(
        trailing_share=body.trailing_share,
        trailing_multiple=body.trailing_multiple,
        hold_maximum=None if seconds is None else timedelta(seconds=seconds),
        break_even_gain=body.break_even_gain,
        break_even_offset=body.break_even_offset,
        partials=None
        if partials is None
        else tuple(PartialTake(part.gain_share, part.quantity_share) for part in partials),
    )
