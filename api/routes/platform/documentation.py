"""The API's own description, for those who hold a token: browsers show it as a password.

The page is Swagger UI from a package, served by this process: nothing is loaded from elsewhere,
which would be handed the token of whoever opens it, and no script stands in the page itself.
"""

from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.http.authentication import authenticate_reader
from api.http.problems import ProblemError

router = APIRouter(include_in_schema=False, dependencies=[Depends(authenticate_reader)])

PACKAGE = "fastapi_offline"
"""Carries the files of Swagger UI; nothing else of it is used."""

ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
START = """\
window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: false,
  syntaxHighlight: { activated: true },
  validatorUrl: null,
});
"""
PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Aether API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
# Swagger UI sets styles from its script and draws its icons as data: neither can run anything.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/docs")
async def get_documentation() -> HTMLResponse:
    """Show every route and shape as a page on which requests can be tried."""
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/{name}")
async def get_documentation_file(name: str) -> Response:
    """Return a file of the page."""
    if name == "start.js":
        return Response(START, media_type="text/javascript")
    if name not in ASSETS:
        raise ProblemError(HTTPStatus.NOT_FOUND, "not-found", "No such file.")
    content = (files(PACKAGE) / "static" / name).read_bytes()
    return Response(content, media_type=ASSETS[name])


@router.get("/api/v1/openapi.json")
async def get_openapi(request: Request) -> JSONResponse:
    """Return the OpenAPI document, from which clients are generated."""
    document: dict[str, Any] = request.app.openapi()
    return JSONResponse(document)
