"""The machine's own administrator token is renewed by each start, so that only disuse ends it."""

import psycopg

NAME = "bootstrap"
# A renewal is audited: not at each start, but while a month of ninety days is used up.
_RENEW = """
    SELECT renew_token(name, now() + interval '90 days', 'aether') FROM list_tokens()
    WHERE name = %s AND revoked_at IS NULL AND expires_at < now() + interval '60 days'
"""


def renew_own_token(url: str) -> bool:
    """Renew the token where it soon expires or has; False when nothing was to be done.

    One that was revoked stays so.

    Args:
        url: the database, as ``aether_admin``.

    Raises:
        psycopg.Error: the database did not do it.
    """
    with psycopg.connect(url, connect_timeout=5) as connection:
        return connection.execute(_RENEW, [NAME]).fetchone() is not None
