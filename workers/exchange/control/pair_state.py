"""A pair as the exchange has it now, by the names of AssetPairs, for the control endpoint."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from models.simulation.pair_changes import PairChangeError
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


def relative_change(state: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the change of a pair that a scripted fault of the kind ``pair`` asks for.

    ``tick_times`` is a power of ten (a finer tick has more decimals), ``ordermin_times`` a factor;
    ``rename`` gives the pair another id and altname; ``status`` is a mode of the pair.

    Raises:
        PairChangeError: other parameters, or none.
    """
    change: dict[str, Any] = {}
    if params.keys() - {"tick_times", "ordermin_times", "rename", "status"} or not params:
        raise PairChangeError("params are tick_times, ordermin_times, rename or status")
    if "tick_times" in params:
        tick = Decimal(state["tick_size"]) * _factor(params["tick_times"])
        exponent = tick.normalize().as_tuple().exponent
        decimals = -exponent if isinstance(exponent, int) else 0
        change["tick_size"] = f"{tick:f}"
        change["pair_decimals"] = max(int(state["pair_decimals"]), decimals)
    if "ordermin_times" in params:
        minimum = Decimal(state["ordermin"]) * _factor(params["ordermin_times"])
        change["ordermin"] = f"{minimum:f}"
    if params.get("rename"):
        name = str(state["altname"])
        change["altname"] = change["id"] = f"{name}.N"
    if "status" in params:
        change["status"] = params["status"]
    return change


def _factor(value: Any) -> Decimal:
    factor = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    if not factor.is_finite() or not 0 < factor <= 1000:
        raise PairChangeError("a factor is a number above zero, at most 1000")
    return factor
