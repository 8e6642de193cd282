"""A pair as the exchange has it now, by the names of AssetPairs, for the control endpoint."""

from typing import Any

from models.simulation.venue import Venue


def pair_state(venue: Venue, symbol: str) -> dict[str, Any]:
    """Return what ``POST /control/pairs`` may change, as it is."""
    instrument = venue.instrument(symbol)
    return {
        "tick_size": f"{instrument.price_increment:f}",
        "pair_decimals": instrument.price_precision,
        "ordermin": f"{instrument.quantity_minimum:f}",
        "costmin": f"{instrument.cost_minimum:f}",
        "status": venue.pair_status(symbol).value,
        "id": instrument.rest_id,
        "altname": venue.directory.names(symbol).altname,
    }
