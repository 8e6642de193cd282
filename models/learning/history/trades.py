"""Judge a page of past trades by pandera: numbers, order, and times that only grow."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors


def judge_trades(
    ids: Sequence[int], at: Sequence[datetime], price: Sequence[str], quantity: Sequence[str]
) -> str:
    """Return what is wrong with a page of trades, oldest first; empty where nothing is."""
    frame = pd.DataFrame(
        {
            "trade_id": np.array(ids, dtype=np.int64),
            "at": np.array([one.timestamp() for one in at], dtype=np.float64),
            "price": pd.to_numeric(pd.Series(price, dtype=object), errors="coerce"),
            "quantity": pd.to_numeric(pd.Series(quantity, dtype=object), errors="coerce"),
        }
    )
    try:
        _SCHEMA.validate(frame, lazy=True)
    except SchemaErrors as error:
        one = error.schema_errors[0]
        where = getattr(one.schema, "name", None) or "page"
        return f"{where}: {getattr(one.check, 'error', None) or one.reason_code}"
    return ""


def _grows(series: pd.Series) -> bool:
    return bool(series.is_monotonic_increasing)


_SCHEMA = pa.DataFrameSchema(
    {
        "trade_id": pa.Column(
            np.int64, [pa.Check.gt(0), pa.Check(_grows, error="not in order")], unique=True
        ),
        "at": pa.Column(np.float64, pa.Check(_grows, error="not in order")),
        "price": pa.Column(np.float64, pa.Check.gt(0, error="not above 0"), coerce=True),
        "quantity": pa.Column(np.float64, pa.Check.gt(0, error="not above 0"), coerce=True),
    }
)
