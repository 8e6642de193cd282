"""The session's cookie, and what a browser must send with it.

The name begins with ``__Host-``: browsers take it only with Secure, for the whole site, and for no
other host. On loopback that works over plain HTTP too in Chromium and Firefox, which treat
``localhost`` as a secure context. Safari does not: it needs TLS before the API.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

from api.http.problems import ProblemError
from models.trading.governance.sessions import ABSOLUTE

COOKIE: Final = "__Host-aether-session"
OWN_HEADER: Final = "Aether-Request"
"""Sent by our own pages and programs with whatever changes something; no form can send it."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def set_session(response: Response, reference: str) -> None:
    """Give a browser the reference of its session."""
    response.set_cookie(
        COOKIE,
        reference,
        max_age=int(ABSOLUTE.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )


def clear_session(response: Response) -> None:
    """Take the reference from a browser."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def check_same_origin(request: Request) -> None:
    """Refuse what another page has made the browser send.

    Raises:
        ProblemError: 403 ``foreign-request``.
    """
    site = request.headers.get("sec-fetch-site")
    if _is_own_origin(request):
        # A port of the same machine is the same site: SameSite=Strict does not keep it out.
        if request.method in SAFE and site in (None, "same-origin", "none"):
            return
        if site == "same-origin" and request.headers.get(OWN_HEADER):
            return
    raise ProblemError(
        HTTPStatus.FORBIDDEN,
        "foreign-request",
        "With a session, what changes something is sent by a page of the API's own origin "
        f"(Sec-Fetch-Site: same-origin) and with the header {OWN_HEADER}.",
        lasting=False,
    )


def _is_own_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()
