"""Whether exits make sense, and whether a change of them protects a trade less (R-1, T-4).

An administrator may change the exits of an open trade; a change to a worse protection needs a
second person.
"""

from datetime import timedelta
from decimal import Decimal

from models.trading.exits.rules import ExitRules
from models.trading.instruments import Instrument
from models.trading.verdicts import Check, Verdict

ZERO = Decimal(0)
ONE = Decimal(1)


def judge_rules(
    rules: ExitRules, instrument: Instrument, price: Decimal, entry: Decimal | None = None
) -> Verdict:
    """Tell whether a trade's exits can be used at a price, as ``judge_effect`` and on their sides.

    Only a stop that trails may stand without a take-profit: it takes the profit itself (T-4).
    """
    target = rules.take_profit_price
    return Verdict(
        (
            *judge_sides(rules.stop_price, target, instrument, price).checks,
            _check(
                "take-profit-on-wrong-side",
                target is not None or _trails(rules),
                "neither a take-profit nor a stop that trails takes the profit",
            ),
            *judge_effect(rules, price, entry).checks,
        )
    )


def judge_effect(
    rules: ExitRules, price: Decimal | None = None, entry: Decimal | None = None
) -> Verdict:
    """Tell whether each exit can ever take effect: of a trade, an entry, and in settings.

    ``price`` bounds a distance in USD; ``entry``, what is paid, tells which gains the take-profit
    comes before. None: not judged by it, as in settings, which know no market.
    """
    return Verdict(
        (
            _check(
                "invalid-exits",
                _has_sound_numbers(rules),
                "shares lie above zero up to one, multiples and times above zero",
            ),
            _check(
                "break-even-never",
                _can_break_even(rules),
                f"the stop moves to {rules.break_even_offset:.4%} above the entry from a gain of"
                f" {rules.break_even_gain or ZERO:.4%}: the offset must be smaller than the gain",
            ),
            _check(
                "invalid-exits",
                _trails_above_zero(rules, price),
                "a stop that trails by the whole price or more never moves",
            ),
            _check(
                "invalid-exits",
                _are_partials_sound(rules),
                "partial sales come by rising gain and sell no more than was bought",
            ),
            _check_reach(rules, entry),
        )
    )


def judge_sides(
    stop: Decimal, target: Decimal | None, instrument: Instrument, price: Decimal
) -> Verdict:
    """Tell whether stop and take-profit lie on their sides of a price: else they sell at once."""
    return Verdict(
        (
            _check(
                "stop-on-wrong-side",
                instrument.price_increment <= stop < price,
                f"stop {stop} against the price {price}",
            ),
            _check(
                "take-profit-on-wrong-side",
                target is None or target > price,
                f"take-profit {target} against the price {price}",
            ),
        )
    )


def judge_change(old: ExitRules, new: ExitRules) -> Verdict:
    """Compare two sets of exits; every check that fails is a protection that got worse."""
    return Verdict(
        (
            _worse(
                "the stop is lower", new.stop_price < old.stop_price, old.stop_price, new.stop_price
            ),
            _worse(
                "the take-profit is gone",
                old.take_profit_price is not None and new.take_profit_price is None,
                old.take_profit_price,
                new.take_profit_price,
            ),
            _trailing(old, new),
            _wider("trailing distance", old.trailing_share, new.trailing_share),
            _wider("trailing multiple", old.trailing_multiple, new.trailing_multiple),
            _wider("break-even gain", old.break_even_gain, new.break_even_gain),
            _worse(
                "the break-even stop is lower",
                _is_even_lower(old, new),
                old.break_even_offset,
                new.break_even_offset,
            ),
            _wider("time until closing", _seconds(old.hold_maximum), _seconds(new.hold_maximum)),
        )
    )


def is_worse_protection(old: ExitRules, new: ExitRules) -> bool:
    """Tell whether a change protects the trade less in any respect."""
    return not judge_change(old, new).allowed


def _has_sound_numbers(rules: ExitRules) -> bool:
    partials, multiple = rules.partials, rules.trailing_multiple
    shares = (
        rules.trailing_share,
        rules.break_even_gain,
        *(p.quantity_share for p in partials),
        *(p.gain_share for p in partials),
    )
    return (
        all(share is None or ZERO < share <= ONE for share in shares)
        and ZERO <= rules.break_even_offset < ONE
        and (multiple is None or multiple > ZERO)
        and (rules.trailing_distance is None or rules.trailing_distance > ZERO)
        and (rules.hold_maximum is None or rules.hold_maximum > timedelta(0))
    )


def _are_partials_sound(rules: ExitRules) -> bool:
    gains = [p.gain_share for p in rules.partials]
    sold = sum((p.quantity_share for p in rules.partials), ZERO)
    return gains == sorted(set(gains)) and sold <= ONE


def _check_reach(rules: ExitRules, entry: Decimal | None) -> Check:
    """Refuse a partial sale at or beyond the take-profit, which sells all before it is reached."""
    target = rules.take_profit_price
    last = max((p.gain_share for p in rules.partials), default=None)
    if target is None or entry is None or last is None:
        return _check("partial-never", passed=True, reason="no take-profit ends a partial sale")
    reached = entry * (ONE + last)
    reason = f"a partial sale at {reached:.8g} is never reached: {target} sells everything before"
    return _check("partial-never", reached < target, reason)


def _can_break_even(rules: ExitRules) -> bool:
    """Tell whether the stop can move to break-even at all: a stop at the price would fire."""
    if rules.break_even_gain is None:
        return rules.break_even_offset == ZERO
    return rules.break_even_offset < rules.break_even_gain


def _trails_above_zero(rules: ExitRules, price: Decimal | None) -> bool:
    share, distance = rules.trailing_share, rules.trailing_distance
    below = distance is None or price is None or distance < price
    return (share is None or share < ONE) and below


def _trails(rules: ExitRules) -> bool:
    distances = (rules.trailing_share, rules.trailing_multiple, rules.trailing_distance)
    return any(distance is not None for distance in distances)


def _trailing(old: ExitRules, new: ExitRules) -> Check:
    return _wider("trailing distance in USD", old.trailing_distance, new.trailing_distance)


def _is_even_lower(old: ExitRules, new: ExitRules) -> bool:
    used = old.break_even_gain is not None and new.break_even_gain is not None
    return used and new.break_even_offset < old.break_even_offset


def _wider(name: str, old: Decimal | None, new: Decimal | None) -> Check:
    """Compare a distance: none at all is the widest."""
    worse = old is not None and (new is None or new > old)
    return _worse(f"{name} {'is gone' if new is None else 'is larger'}", worse, old, new)


def _worse(what: str, worse: bool, old: Decimal | None, new: Decimal | None) -> Check:
    reason = f"{what}: {old} to {new}" if worse else f"not so that {what}"
    return Check("R-1", "worse-protection", not worse, reason, new, old)


def _seconds(duration: timedelta | None) -> Decimal | None:
    return Decimal(int(duration.total_seconds())) if duration is not None else None


def _check(code: str, passed: bool, reason: str) -> Check:
    return Check("R-1", code, passed, reason)
