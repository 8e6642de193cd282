"""How a client program is told where a server is: its password never stands in its arguments."""

import os
from dataclasses import dataclass

from psycopg.conninfo import conninfo_to_dict, make_conninfo

PASSWORDS = {"password": "PGPASSWORD"}


@dataclass(frozen=True, slots=True)
class ConnectionWords:
    """The argument ``dbname`` and the environment of a client program of PostgreSQL."""

    dbname: str
    environment: dict[str, str]


def connection_words(url: str, **more: str) -> ConnectionWords:
    """Divide an address into what other users of the machine may read, and what not.

    The arguments of a process are public on its machine, its environment is its user's.

    Args:
        url: a libpq address or connection string.
        more: further connection parameters, such as ``application_name``.

    Raises:
        psycopg.ProgrammingError: it is no such address.
    """
    words = conninfo_to_dict(url, **more)
    hidden = {PASSWORDS[name]: str(words.pop(name)) for name in PASSWORDS if name in words}
    return ConnectionWords(make_conninfo("", **words), {**os.environ, **hidden})
