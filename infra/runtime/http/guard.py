"""Which HTTP requests a port of ours answers at all, before anybody asks who sends them.

A web page can make its reader's browser send requests to this machine: with a foreign ``Origin``,
as ``text/plain`` so that no preflight asks first, or under a name of its own that it lets point to
127.0.0.1 (DNS rebinding), which makes it the port's own origin. The three checks here refuse them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
JSON_TYPE = "application/json"

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""On every answer. A page that needs more states its own policy, with ``frame-ancestors`` again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: HTTP status, stable code, one line."""

    status: HTTPStatus
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class HttpGuard:
    """What one port accepts.

    Attributes:
        port: where it listens; 0 accepts any port, for a server that does not know its own.
        names: further host names by which it is reached, as configured (``AETHER_HOST_NAMES``),
            each with its port where it differs from the scheme's.
        origins: origins of other pages that may call, for example Temporal's web UI.
    """

    port: int
    names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    def refusal(
        self, method: str, headers: Iterable[tuple[str, str]], *, only_json: bool = True
    ) -> Refusal | None:
        """Return why a request is refused, None when it may go on.

        Args:
            method: of the request, in capitals.
            headers: name and value of each, as sent; names in any case.
            only_json: whether a body must be JSON. Kraken's own endpoints also take forms.
        """
        values: dict[str, list[str]] = {}
        for name, value in headers:
            values.setdefault(name.lower(), []).append(value.strip())
        hosts = values.get("host", [])
        if len(hosts) != 1 or not self._is_own_host(hosts[0]):
            return Refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                "foreign-host",
                "The Host header names another machine or port. Use 127.0.0.1 or localhost with "
                "this port, or configure the name: AETHER_HOST_NAMES",
            )
        if not self._is_own_page(method, values):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "foreign-origin",
                "Requests from web pages of other origins are refused.",
            )
        if only_json and _has_body(values) and not _is_json(values.get("content-type", [])):
            return Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                f"A body is sent as Content-Type: {JSON_TYPE}.",
            )
        return None

    def _is_own_host(self, host: str) -> bool:
        host = host.lower()
        name, colon, port = host.rpartition(":")
        if not colon or host.endswith("]"):
            name, port = host, "80"
        if name in LOOPBACK_NAMES:
            return self.port == 0 or port == str(self.port)
        return host in self.names

    def _is_own_page(self, method: str, values: Mapping[str, list[str]]) -> bool:
        if "origin" in values:
            return all(self._is_own_origin(origin) for origin in values["origin"])
        # Browsers name no origin where they only fetch or navigate.
        site = values.get("sec-fetch-site", ["none"])[-1].lower()
        navigates = values.get("sec-fetch-mode", [""])[-1].lower() == "navigate"
        if site == "same-site":  # another port of this machine: following its links is no harm
            return method == "GET" and navigates
        return site in ("none", "same-origin")

    def _is_own_origin(self, origin: str) -> bool:
        origin = origin.lower()
        scheme, _, host = origin.partition("://")
        return origin in self.origins or (scheme in ("http", "https") and self._is_own_host(host))


def configured_names(text: str) -> frozenset[str]:
    """Read ``AETHER_HOST_NAMES``: names divided by commas."""
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())


def _has_body(values: Mapping[str, list[str]]) -> bool:
    return "transfer-encoding" in values or any(
        length != "0" for length in values.get("content-length", [])
    )


def _is_json(types: list[str]) -> bool:
    return len(types) == 1 and types[0].partition(";")[0].strip().lower() == JSON_TYPE
