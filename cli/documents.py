"""Reading YAML that somebody else may have written: of bounded size, depth and values."""

from typing import Any, Final

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from models.trading.bounds import DEPTH, OutOfBoundsError, check_plain

LONGEST_DOCUMENT: Final = 200_000
"""Characters of a document: ten times the largest export, and less than the API takes."""


def read_yaml(text: str) -> Any:
    """Return what a YAML document holds.

    References within a document are refused: a few lines of them stand for millions of values.

    Raises:
        OutOfBoundsError: it is too long, too deep, refers to itself, or holds what nothing may.
        yaml.YAMLError: it is no YAML.
    """
    if len(text) > LONGEST_DOCUMENT:
        raise OutOfBoundsError(f"is longer than {LONGEST_DOCUMENT} characters")
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEPTH:
            raise OutOfBoundsError(f"is nested deeper than {DEPTH} levels")
        if isinstance(event, AliasEvent):
            raise OutOfBoundsError("refers to a part of itself (an alias), which is not allowed")
    try:
        document = yaml.safe_load(text)
    except ValueError as error:
        raise OutOfBoundsError(f"holds a value that is none: {error}"[:200]) from None
    check_plain(document)
    return document
