"""Column types shared by the tables: exact money, moments with a time zone, JSON documents."""

from sqlalchemy import DateTime, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeDecorator


class Amount(TypeDecorator[object]):
    """An exact number of any precision, as ``Decimal``."""

    impl = Numeric(asdecimal=True)
    cache_ok = True


class Moment(TypeDecorator[object]):
    """A point in time with its zone; PostgreSQL keeps UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True


class Document(TypeDecorator[object]):
    """A JSON document."""

    impl = JSONB
    cache_ok = True


class Names(TypeDecorator[object]):
    """An ordered list of names."""

    impl = ARRAY(Text)
    cache_ok = True


class Moments(TypeDecorator[object]):
    """A list of points in time."""

    impl = ARRAY(DateTime(timezone=True))
    cache_ok = True
