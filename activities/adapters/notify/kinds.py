"""Every kind of channel over one installation's settings."""

from collections.abc import Callable
from datetime import datetime

from activities.adapters.notify.chat import ChatNotifier
from activities.adapters.notify.email import EmailNotifier, MailServer, MailTls
from activities.adapters.notify.post import Destinations
from activities.adapters.notify.sms import SmsNotifier, SmsProvider
from activities.adapters.notify.webhook import WebhookNotifier
from activities.ports.notifications import Notifiers, ProviderSecrets
from infra.runtime.settings import Settings
from models.trading.governance.notifications.routing import ChannelKind


def notifiers(
    settings: Settings, secrets: ProviderSecrets, clock: Callable[[], datetime]
) -> Notifiers:
    """Return what sends, by the kind of channel."""
    allowed = destinations(settings)
    mail = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_sender,
        settings.smtp_user,
        MailTls(settings.smtp_tls),
        settings.smtp_authorities,
    )
    provider = SmsProvider(settings.sms_url, settings.sms_account, settings.sms_sender)
    return {
        ChannelKind.EMAIL: EmailNotifier(mail, secrets, clock),
        ChannelKind.SMS: SmsNotifier(provider, allowed, secrets),
        ChannelKind.WEBHOOK: WebhookNotifier(allowed, secrets, clock),
        ChannelKind.CHAT: ChatNotifier(settings.chat_url, allowed, secrets),
    }


def destinations(settings: Settings) -> Destinations:
    """Return where webhooks, text messages and chat messages may go."""
    hosts = settings.notify_private_hosts.split(",")
    return Destinations(frozenset(host.strip() for host in hosts if host.strip()))


def unavailable_kinds(settings: Settings, known: frozenset[str]) -> dict[ChannelKind, str]:
    """Return the kinds that nothing is set up for, and what is missing.

    Args:
        settings: of the installation.
        known: names of the providers' secrets that are stored.
    """
    found: dict[ChannelKind, str] = {}
    if not settings.smtp_host or not settings.smtp_sender:
        found[ChannelKind.EMAIL] = "AETHER_SMTP_HOST and AETHER_SMTP_SENDER are not set"
    elif settings.smtp_user and "smtp-password" not in known:
        found[ChannelKind.EMAIL] = "no smtp-password is stored (aether notify secret)"
    if not settings.sms_url:
        found[ChannelKind.SMS] = "AETHER_SMS_URL is not set"
    elif "sms-token" not in known:
        found[ChannelKind.SMS] = "no sms-token is stored (aether notify secret)"
    if "chat-token" not in known:
        found[ChannelKind.CHAT] = "no chat-token is stored (aether notify secret)"
    return found
