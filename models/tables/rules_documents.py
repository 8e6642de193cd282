"""Pairs, verdicts and stress results as JSON documents and back; decimals are text."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from models.trading.risk.stress import StressResult
from models.trading.risk.stress_scenarios import Shock
from models.trading.universe.correlation import PairCorrelation
from models.trading.universe.pairs import UniversePair
from models.trading.verdicts import Verdict

_PAIRS = TypeAdapter(dict[str, UniversePair])
_JOINS = TypeAdapter(tuple[UniversePair, ...])
_VERDICTS = TypeAdapter(dict[str, Verdict])
_ESTIMATES = TypeAdapter(tuple[PairCorrelation, ...])
_SHOCKS = TypeAdapter(tuple[Shock, ...])
_RESULTS = TypeAdapter(tuple[StressResult, ...])


def pairs_document(pairs: Mapping[str, UniversePair]) -> dict[str, Any]:
    """Write the pairs of a universe by symbol."""
    document: dict[str, Any] = _PAIRS.dump_python(dict(pairs), mode="json")
    return document


def universe_pairs(document: dict[str, Any]) -> dict[str, UniversePair]:
    """Read the pairs of a universe."""
    return _PAIRS.validate_python(document)


def joins_document(pairs: tuple[UniversePair, ...]) -> list[dict[str, Any]]:
    """Write the pairs that a proposal would add."""
    document: list[dict[str, Any]] = _JOINS.dump_python(pairs, mode="json")
    return document


def joining_pairs(document: list[dict[str, Any]]) -> tuple[UniversePair, ...]:
    """Read the pairs that a proposal would add."""
    return _JOINS.validate_python(document)


def verdicts_document(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Write verdicts by symbol."""
    document: dict[str, Any] = _VERDICTS.dump_python(dict(verdicts), mode="json")
    return document


def verdicts_by_symbol(document: dict[str, Any]) -> dict[str, Verdict]:
    """Read verdicts by symbol."""
    return _VERDICTS.validate_python(document)


def estimates_document(estimates: tuple[PairCorrelation, ...]) -> list[dict[str, Any]]:
    """Write correlations by pair."""
    document: list[dict[str, Any]] = _ESTIMATES.dump_python(estimates, mode="json")
    return document


def shocks_document(shocks: tuple[Shock, ...]) -> list[dict[str, Any]]:
    """Write shocks."""
    document: list[dict[str, Any]] = _SHOCKS.dump_python(shocks, mode="json")
    return document


def results_document(results: tuple[StressResult, ...]) -> list[dict[str, Any]]:
    """Write the outcome of each shock."""
    document: list[dict[str, Any]] = _RESULTS.dump_python(results, mode="json")
    return document
