"""The page on which a person sets up password and second factor by a link."""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/set-up")
async def get_set_up_page() -> HTMLResponse:
    """Show the page; the link's secret is in the fragment, which is not sent here."""
    return HTMLResponse(
        _content("set_up.html"),
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"},
    )


@router.get("/set-up/set_up.js")
async def get_set_up_script() -> Response:
    """Return the page's script."""
    return Response(_content("set_up.js"), media_type="text/javascript")


def _content(name: str) -> str:
    return (files("api.pages") / name).read_text()
