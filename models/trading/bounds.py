"""What a text and a number from outside may be: one rule for every door.

The API, the command line, files of settings and the messages of workflows all hold what they are
given to these bounds, before anything of it is calculated with, formatted or kept. A text is what
PostgreSQL, a terminal and a log can hold; a number is one whose plain form stays short: the digits
and the exponent are looked at before the number is written out, for ``1e-999999`` is eight
characters long and its plain form a million.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

NAME_LENGTH: Final = 64
"""Longest name: of a setting, an asset, a pair, a strategy."""
TEXT_LENGTH: Final = 500
"""Longest text that a person writes: a reason, a note."""
REQUEST_ID_LENGTH: Final = 200
ITEMS: Final = 500
"""Most names or shares in one value of a caller."""
DEPTH: Final = 16
DIGITS: Final = 30
"""Most significant digits of a number."""
EXPONENT: Final = 20
"""Smallest place after the point, and largest power of ten."""
NUMBER_TEXT_LENGTH: Final = 64
SHOWN_LENGTH: Final = 80
"""How much of a refused value is shown again."""

LARGEST_INTEGER: Final = 2**63 - 1


class OutOfBoundsError(ValueError):
    """A value from outside that nothing here may hold."""


def text_problem(
    text: str, longest: int = TEXT_LENGTH, *, has_lines: bool = False, least: int = 0
) -> str | None:
    """Return what is wrong with a text, None when it can be stored, shown and sent.

    Args:
        text: what was given.
        longest: most characters.
        has_lines: whether line breaks and tabs are allowed.
        least: fewest characters.
    """
    if len(text) > longest:
        return f"has {len(text)} characters, at most {longest} are allowed"
    if len(text) < least:
        return f"has {len(text)} characters, at least {least} are needed"
    if text.isascii() and text.isprintable():
        return None
    for character in text:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF:
            return "has half a surrogate pair, which is no character"
        if code < 0x20 or 0x7F <= code < 0xA0:
            if has_lines and character in "\n\r\t":
                continue
            return f"has the control character U+{code:04X}"
    return None


def bounded_text(text: str, longest: int = TEXT_LENGTH, *, has_lines: bool = False) -> str:
    """Return a text that is within bounds.

    Raises:
        OutOfBoundsError: it is too long, or has characters that cannot be stored.
    """
    problem = text_problem(text, longest, has_lines=has_lines)
    if problem is not None:
        raise OutOfBoundsError(problem)
    return text


def cleaned_text(text: str, longest: int = TEXT_LENGTH) -> str:
    """Return a text of a stranger as it can be kept: what cannot is replaced, the rest cut off."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if text_problem(cut, longest) is None:
        return cut
    return "".join(c if text_problem(c, 1) is None else "\N{REPLACEMENT CHARACTER}" for c in cut)


def shown(value: object) -> str:
    """Return as much of a refused value as a message may hold; its own form is never written out.

    A number or a nested value may be enormous when written out, so only its kind is named.
    """
    if isinstance(value, str):
        return cleaned_text(repr(value[: SHOWN_LENGTH + 1]), SHOWN_LENGTH)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return cleaned_text(str(value), SHOWN_LENGTH)
    return f"a value of the type {type(value).__name__}"


def bounded_number(raw: object, digits: int = DIGITS, exponent: int = EXPONENT) -> Decimal:
    """Read a number from outside, its digits and exponent held to bounds before any arithmetic.

    Args:
        raw: Decimal, int, float or text.
        digits: most significant digits.
        exponent: smallest place after the point, and largest power of ten.

    Raises:
        OutOfBoundsError: it is no finite number, or its plain form would be long.
    """
    if isinstance(raw, bool) or not isinstance(raw, Decimal | int | float | str):
        raise OutOfBoundsError("is no number")
    if isinstance(raw, str) and (len(raw) > NUMBER_TEXT_LENGTH or not raw.isascii() or "_" in raw):
        raise OutOfBoundsError("is no number of usual length")
    if isinstance(raw, int) and raw.bit_length() > 256:
        raise OutOfBoundsError(f"has more than {digits} digits")
    try:
        number = raw if isinstance(raw, Decimal) else Decimal(str(raw).strip())
    except InvalidOperation:
        raise OutOfBoundsError("is no number") from None
    problem = number_problem(number, digits, exponent)
    if problem is not None:
        raise OutOfBoundsError(problem)
    return number


def number_problem(number: Decimal, digits: int = DIGITS, exponent: int = EXPONENT) -> str | None:
    """Return what is wrong with a number, None when its plain form is short."""
    if not number.is_finite():
        return "is not finite"
    parts = number.as_tuple()
    assert isinstance(parts.exponent, int)
    if len(parts.digits) > digits:
        return f"has {len(parts.digits)} digits, at most {digits} are allowed"
    if parts.exponent < -exponent:
        return f"has {-parts.exponent} places after the point, at most {exponent} are allowed"
    if number.adjusted() > exponent or parts.exponent > exponent:
        return "is too large: at most 20 digits before the point are allowed"
    return None


def check_plain(value: object, path: str = "", depth: int = 0) -> None:
    """Hold a plain value of a caller (JSON, YAML) to the bounds of callers.

    Raises:
        OutOfBoundsError: names the field and what is wrong with it.
    """
    problem: str | None = None
    if depth > DEPTH:
        problem = f"is nested deeper than {DEPTH} levels"
    elif isinstance(value, str):
        problem = text_problem(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        problem = None if abs(value) <= LARGEST_INTEGER else "is an integer too large to be kept"
    elif isinstance(value, float | Decimal):
        problem = number_problem(Decimal(repr(value)) if isinstance(value, float) else value)
    elif isinstance(value, Mapping):
        _check_items(value, path)
        for name, item in value.items():
            _check_name(name, path)
            check_plain(item, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        _check_items(value, path)
        for item in value:
            check_plain(item, f"{path}[]", depth + 1)
    if problem is not None:
        raise OutOfBoundsError(f"{path or 'the value'} {problem}")


def _check_items(value: Collection[object], path: str) -> None:
    if len(value) > ITEMS:
        where = path or "the value"
        raise OutOfBoundsError(f"{where} has {len(value)} items, at most {ITEMS} are allowed")


def _check_name(name: object, path: str) -> None:
    where = path or "the value"
    if not isinstance(name, str):
        raise OutOfBoundsError(f"{where} has a name that is no text")
    problem = text_problem(name, NAME_LENGTH, least=1)
    if problem is not None:
        raise OutOfBoundsError(f"{where} has a name that {problem}")
