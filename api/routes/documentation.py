"""The API's own description, for those who hold a token: browsers show it as a password."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse

from api.authentication import authenticate_reader
from api.reference import page

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

router = APIRouter(include_in_schema=False, dependencies=[Depends(authenticate_reader)])


@router.get("/docs")
async def get_documentation(request: Request) -> HTMLResponse:
    """Show every route and shape as a page."""
    return HTMLResponse(
        page(_document(request)),
        headers={"Content-Security-Policy": PAGE_POLICY},
    )


@router.get("/api/v1/openapi.json")
async def get_openapi(request: Request) -> JSONResponse:
    """Return the OpenAPI document, from which clients are generated."""
    return JSONResponse(_document(request))


def _document(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = request.app.openapi()
    return document
