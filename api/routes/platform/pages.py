"""The control room's pages: static files, served to anybody; what they show needs a session.

While they are built, or when they cannot be, a plain page says so, and why.
"""

import html
import mimetypes
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from infra.pages.build import progress
from infra.pages.places import BUILT

# The charts and React set styles through the object model, which a policy does not concern.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
UNTIL_BUILT_POLICY: Final = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
FOR_EVER: Final = "public, max-age=31536000, immutable"
NAME: Final = re.compile(r"^(assets/)?[A-Za-z0-9_-][A-Za-z0-9._-]*$")

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def install(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the pages wherever no route matches: files by name, else the page that routes itself.

    Only what a browser navigates to gets the page; to a program an unknown path stays a 404.
    """
    otherwise: App = app.router.default

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        answer = _answer(scope, built)
        await (otherwise if answer is None else answer)(scope, receive, send)

    app.router.default = serve


def _answer(scope: Scope, built: Path) -> Response | None:
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    path = str(scope["path"]).lstrip("/")
    if path.startswith("api/"):
        return None
    headers = Headers(scope=scope)
    if path and path != "index.html" and NAME.match(path):
        found = _file(built, path, "gzip" in headers.get("accept-encoding", ""))
        if found is not None:
            return found
    if "text/html" not in headers.get("accept", ""):
        return None
    try:
        page = (built / "index.html").read_text()
    except FileNotFoundError:
        return _until_built()
    return HTMLResponse(
        page, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    )


def _file(built: Path, path: str, compressed: bool) -> Response | None:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    headers = {"Cache-Control": FOR_EVER if path.startswith("assets/") else "no-cache"}
    try:
        if compressed and (built / f"{path}.gz").is_file():
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response((built / f"{path}.gz").read_bytes(), headers=headers, media_type=kind)
        return Response((built / path).read_bytes(), headers=headers, media_type=kind)
    except (FileNotFoundError, IsADirectoryError):
        return None


def _until_built() -> Response:
    found = progress()
    step = found.get("step", "")
    if step == "failed":
        words = "<p>The pages could not be built. Trading is not affected.</p>"
        words += f"<pre>{html.escape(found.get('detail', ''))}</pre>"
        words += "<p>Mend what is named there, then: <code>make ui</code></p>"
    elif step:
        words = f"<p>The pages are being built: {html.escape(step)} …</p>"
        words += "<p>This page loads itself again. Trading goes on meanwhile.</p>"
    else:
        words = "<p>The pages are not built. On the platform's machine: <code>make ui</code></p>"
    again = "" if step == "failed" else '<meta http-equiv="refresh" content="2">'
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
        f"<title>Aether</title><h1>Aether</h1>{words}"
        "<p>The terminal works: <code>.venv/bin/aether status</code>, "
        "<code>.venv/bin/aether kill-switch engage --reason …</code></p></html>"
    )
    headers = {"Content-Security-Policy": UNTIL_BUILT_POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(page, HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
