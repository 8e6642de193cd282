"""A provider's secret, from whoever has it to the store; it is never shown."""

import sys

import typer

from infra.runtime.errors import ConfigurationError
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings


def store_provider_secret(name: str) -> None:
    """Read a secret from standard input, hidden on a terminal, and store it under a name.

    Raises:
        ConfigurationError: it is empty, too long, or has characters that cannot be shown.
    """
    if sys.stdin.isatty():
        value = typer.prompt(name, hide_input=True)
    else:
        value = sys.stdin.readline().rstrip("\r\n")
    if not value or len(value) > 500 or not value.isprintable():
        raise ConfigurationError("a secret is one line of printable characters, at most 500")
    installation_secrets(Settings()).put_provider_secret(name, value)
    typer.echo(f"{name} is stored")
