"""Market steps as the journal keeps them, for markets that cannot give the same steps again."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.trading.orders import Side


def encode_step(step: MarketStep) -> list[Any]:
    """Return a step as JSON-ready values."""
    return [
        step.number,
        step.at.isoformat(),
        [
            [
                part.symbol,
                [[one.side.value, str(one.price), str(one.quantity)] for one in part.prints],
                [[str(level.price), str(level.quantity)] for level in part.bids],
                [[str(level.price), str(level.quantity)] for level in part.asks],
            ]
            for part in step.symbols
        ],
    ]


def decode_step(values: list[Any]) -> MarketStep:
    """Return the step of ``encode_step``."""
    number, at, parts = values
    return MarketStep(
        number,
        datetime.fromisoformat(at),
        tuple(
            SymbolStep(
                symbol,
                tuple(Print(Side(side), Decimal(price), Decimal(q)) for side, price, q in prints),
                _levels(bids),
                _levels(asks),
            )
            for symbol, prints, bids, asks in parts
        ),
    )


def _levels(values: list[Any]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in values)
