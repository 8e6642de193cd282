"""E-mail by SMTP: with STARTTLS, TLS from the start, or in the clear on this machine alone."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path

from activities.ports.notifications import (
    DeliveryFailedError,
    DeliveryRefusedError,
    Message,
    ProviderSecrets,
)
from models.trading.governance.notifications.notice import Severity

SMTP_PASSWORD = "smtp-password"  # noqa: S105  # the name of a secret
TIMEOUT_SECONDS = 20.0
LASTING = 500
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class MailTls(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and as whom; without ``host`` none is set up.

    Attributes:
        user: signs in with the secret ``smtp-password``; "" does not.
        authorities: file of certificates that are trusted instead of the machine's.
    """

    host: str = ""
    port: int = 587
    sender: str = ""
    user: str = ""
    tls: MailTls = MailTls.STARTTLS
    authorities: Path | None = None


class EmailNotifier:
    """Implement ``Notifier``: the address is a mailbox."""

    def __init__(
        self, server: MailServer, secrets: ProviderSecrets, clock: Callable[[], datetime]
    ) -> None:
        self._server = server
        self._secrets = secrets
        self._clock = clock

    async def notify(self, address: str, message: Message) -> None:
        """Hand one mail in; a repeat has the same Message-ID.

        Raises:
            DeliveryFailedError: the server is away, or says to try later.
            DeliveryRefusedError: it refuses the address or the sender for good.
        """
        # Imported late: nobody who sends no mail pays for it.
        import aiosmtplib

        server = self._server
        if not server.host or not server.sender:
            raise DeliveryRefusedError("no mail server is set up")
        if server.tls is MailTls.NONE and server.host not in LOOPBACK:
            raise DeliveryRefusedError("mail leaves this machine with TLS only")
        password = await self._secrets.provider_secret(SMTP_PASSWORD) if server.user else None
        if server.user and password is None:
            raise DeliveryRefusedError("the mail server's password is missing")
        context = ssl.create_default_context(cafile=server.authorities)
        try:
            await aiosmtplib.send(
                self._mail(address, message),
                hostname=server.host,
                port=server.port,
                username=server.user or None,
                password=password,
                use_tls=server.tls is MailTls.TLS,
                # Never by chance: a server that offers no STARTTLS gets no mail.
                start_tls=server.tls is MailTls.STARTTLS,
                tls_context=context if server.tls is not MailTls.NONE else None,
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [one.code for one in error.recipients]
            raise _failure(f"refused the recipient: {codes}", min(codes, default=0)) from None
        except aiosmtplib.SMTPAuthenticationError as error:
            # Tried again: a password can be put right while messages wait.
            raise DeliveryFailedError(
                f"the mail server refused the sign-in: {error.code}"
            ) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(f"{error.code} {error.message}", error.code) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailedError(f"{type(error).__name__}: {error}") from None

    def _mail(self, address: str, message: Message) -> EmailMessage:
        mail = EmailMessage()
        domain = self._server.sender.rpartition("@")[2] or "aether.invalid"
        mail["From"], mail["To"] = self._server.sender, address
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{message.identity}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        if message.notice.severity is Severity.CRITICAL:
            mail["Importance"] = "high"
        if message.level or message.notification != message.identity:
            mail["References"] = f"<{message.notification}@{domain}>"
        mail.set_content(message.text)
        return mail


def _failure(words: str, code: int) -> Exception:
    """Return the error of an answer: codes from 500 on last."""
    words = f"the mail server said {words}"[:300]
    return DeliveryRefusedError(words) if code >= LASTING else DeliveryFailedError(words)
