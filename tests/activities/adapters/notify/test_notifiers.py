"""Messages to people against real servers: mail with STARTTLS, forms, signed webhooks, a bot."""

import base64
import email
import ssl
from datetime import UTC, datetime, timedelta
from email import policy

import orjson
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from activities.adapters.notify.chat import ChatNotifier
from activities.adapters.notify.email import EmailNotifier, MailServer, MailTls
from activities.adapters.notify.post import Destinations
from activities.adapters.notify.sms import SmsNotifier, SmsProvider
from activities.adapters.notify.webhook import WebhookNotifier, channel_key, signature
from activities.ports.notifications import DeliveryFailedError, DeliveryRefusedError, Message
from infra.runtime.certificates import Authority
from models.trading.governance.notifications.notice import Notice, Severity
from models.trading.governance.notifications.texts import short_text_of, subject_of, text_of
from tests.support.free_ports import free_block
from tests.support.receivers import FixedSecrets, receiver

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECRETS = FixedSecrets(
    smtp_password="mail-word", sms_token="sms-word", chat_token="12:chat", webhook_key="hook"
)


def now() -> datetime:
    return AT


def a_message(title="Kill switch engaged", level=0, identity="n-1.1.c-1") -> Message:
    notice = Notice(
        "n-1", "k", "kill_switch_engaged", Severity.CRITICAL, "company", title, "by anna",
        "docs/runbooks/AetherKillSwitchUnacknowledged.md", AT,
    )  # fmt: skip
    return Message(
        identity, "c-1", subject_of(notice, level), text_of(notice, "n-1", level, control_room=""),
        short_text_of(notice, level), "n-1", notice, level,
    )  # fmt: skip


@pytest_asyncio.fixture
async def server():
    async with receiver() as found:
        yield found


def open_to(server) -> Destinations:
    return Destinations(frozenset({server.host}))


class Mailbox:
    def __init__(self) -> None:
        self.mails, self.tls, self.refusal = [], [], ""

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=policy.default))
        self.tls.append(session.ssl is not None)
        return "250 OK"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("tests", timedelta(hours=1))


@pytest.fixture
def mail(tmp_path, authority):
    """A mail server that takes mail after STARTTLS and a sign-in only."""
    certificate, key = authority.server("mail", "127.0.0.1")
    (tmp_path / "both.pem").write_bytes(certificate + key)
    (tmp_path / "authority.pem").write_bytes(authority.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "both.pem")
    box = Mailbox()

    def sign_in(_server, _session, _envelope, _mechanism, given):
        good = given.login == b"aether" and given.password == b"mail-word"
        return AuthResult(success=good, handled=good)

    port = free_block()
    controller = Controller(
        box, "127.0.0.1", port, tls_context=context, require_starttls=True,
        authenticator=sign_in, auth_required=True, auth_require_tls=True, ready_timeout=30,
    )  # fmt: skip
    controller.start()
    given = MailServer(
        "127.0.0.1", port, "aether@example.org", "aether", MailTls.STARTTLS,
        tmp_path / "authority.pem",
    )  # fmt: skip
    yield box, given
    controller.stop()


async def test_mail_goes_over_tls_with_an_id_that_repeats(mail):
    box, given = mail
    notifier = EmailNotifier(given, SECRETS, now)
    await notifier.notify("anna@example.org", a_message())
    await notifier.notify("anna@example.org", a_message())
    first, second = box.mails
    assert box.tls == [True, True]
    assert first["Message-ID"] == second["Message-ID"] == "<n-1.1.c-1@example.org>"
    assert first["Subject"] == "[Aether critical] Kill switch engaged (company)"
    assert "AetherKillSwitchUnacknowledged" in first.get_content()


async def test_title_cannot_add_a_header_to_a_mail(mail):
    box, given = mail
    await EmailNotifier(given, SECRETS, now).notify(
        "anna@example.org", a_message("a\r\nBcc: mallory@example.org")
    )
    assert box.mails[0]["Bcc"] is None


async def test_mail_server_with_an_unknown_certificate_gets_nothing(mail):
    box, given = mail
    server = MailServer(given.host, given.port, given.sender, given.user, given.tls)
    with pytest.raises(DeliveryFailedError):
        await EmailNotifier(server, SECRETS, now).notify("anna@example.org", a_message())
    assert box.mails == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [("550 no such user", DeliveryRefusedError), ("451 later", DeliveryFailedError)],
)
async def test_refused_recipient_is_final_and_a_busy_server_is_not(mail, answer, error):
    box, given = mail
    box.refusal = answer
    with pytest.raises(error):
        await EmailNotifier(given, SECRETS, now).notify("anna@example.org", a_message())


async def test_wrong_mail_password_is_tried_again_and_not_shown(mail):
    _, given = mail
    secrets = FixedSecrets(smtp_password="wrong-word")
    with pytest.raises(DeliveryFailedError) as failure:
        await EmailNotifier(given, secrets, now).notify("anna@example.org", a_message())
    assert "wrong-word" not in str(failure.value)


async def test_mail_in_the_clear_does_not_leave_this_machine():
    server = MailServer("mail.example.org", 25, "aether@example.org", "", MailTls.NONE)
    with pytest.raises(DeliveryRefusedError):
        await EmailNotifier(server, SECRETS, now).notify("anna@example.org", a_message())


def test_signature_is_that_of_the_published_vector():
    """The example of the Standard Webhooks libraries."""
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_webhook_is_signed_with_the_key_of_its_channel(server):
    await WebhookNotifier(open_to(server), SECRETS, now).notify(f"{server.url}/hook", a_message())
    (got,) = server.received
    headers = {name.lower(): value for name, value in got.headers.items()}
    seconds = int(headers["webhook-timestamp"])
    assert seconds == int(AT.timestamp())
    assert headers["webhook-id"] == "n-1.1.c-1"
    key = channel_key("hook", "c-1")
    assert headers["webhook-signature"] == signature(key, "n-1.1.c-1", seconds, got.body)
    assert channel_key("hook", "c-2") != key
    assert orjson.loads(got.body)["data"]["event"] == "kill_switch_engaged"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, DeliveryFailedError),
        (503, DeliveryFailedError),
        (429, DeliveryFailedError),
        (400, DeliveryRefusedError),
        (410, DeliveryRefusedError),
        (302, DeliveryRefusedError),
    ],
)
async def test_answers_that_may_pass_are_tried_again_and_others_are_not(server, status, error):
    server.answer((status, {}, {"Retry-After": "7", "Location": "http://127.0.0.1:1/"}))
    with pytest.raises(error) as failure:
        await WebhookNotifier(open_to(server), SECRETS, now).notify(server.url, a_message())
    if error is DeliveryFailedError:
        assert failure.value.retry_after == 7
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/",
        "https://127.0.0.1:9/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "http://example.org/",
        "ftp://example.org/",
        "https://anna:word@example.org/",
        "https:///nowhere",
        "https://[",
    ],
)
async def test_address_in_the_platforms_network_is_never_called(address):
    with pytest.raises(DeliveryRefusedError):
        await WebhookNotifier(Destinations(), SECRETS, now).notify(address, a_message())


async def test_name_that_points_into_the_network_is_refused_when_it_is_resolved():
    with pytest.raises(DeliveryFailedError, match="private network"):
        await WebhookNotifier(Destinations(), SECRETS, now).notify(
            "https://localhost:9/", a_message()
        )


async def test_text_message_is_the_providers_form_with_the_token_as_a_password(server):
    provider = SmsProvider(f"{server.url}/Messages.json", "account", "+15550100")
    notifier = SmsNotifier(provider, open_to(server), SECRETS)
    await notifier.notify("+15550123", a_message())
    (got,) = server.received
    assert got.form["From"] == "+15550100"
    assert got.form["To"] == "+15550123"
    assert "Kill switch engaged" in got.form["Body"]
    basic = got.headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(basic) == b"account:sms-word"


async def test_chat_message_goes_to_the_bot_whose_token_is_never_told(server):
    notifier = ChatNotifier(server.url, open_to(server), SECRETS)
    await notifier.notify("-100", a_message())
    (got,) = server.received
    assert got.path == "/bot12:chat/sendMessage"
    assert orjson.loads(got.body)["chat_id"] == "-100"
    server.answer((404, {"ok": False, "description": "bot12:chat is unknown"}, {}))
    with pytest.raises(DeliveryRefusedError) as failure:
        await notifier.notify("-100", a_message())
    assert "12:chat" not in str(failure.value)


async def test_chat_that_says_no_inside_of_a_success_is_tried_again(server):
    refusal = {"ok": False, "description": "Too Many Requests", "parameters": {"retry_after": 3}}
    server.answer((200, refusal, {}))
    with pytest.raises(DeliveryFailedError) as failure:
        await ChatNotifier(server.url, open_to(server), SECRETS).notify("-100", a_message())
    assert failure.value.retry_after == 3


async def test_nobody_there_is_a_failure_that_is_tried_again(server):
    destinations = Destinations(frozenset({"127.0.0.1:9"}))
    with pytest.raises(DeliveryFailedError):
        await WebhookNotifier(destinations, SECRETS, now).notify("http://127.0.0.1:9/", a_message())


@pytest.mark.parametrize("kind", ["sms", "chat", "mail", "webhook"])
async def test_channel_without_its_provider_is_refused_and_says_so(kind, server):
    nothing = FixedSecrets()
    notifier = {
        "sms": SmsNotifier(SmsProvider(), open_to(server), nothing),
        "chat": ChatNotifier(server.url, open_to(server), nothing),
        "mail": EmailNotifier(MailServer(), nothing, now),
        "webhook": WebhookNotifier(open_to(server), nothing, now),
    }[kind]
    with pytest.raises(DeliveryRefusedError):
        await notifier.notify(server.url, a_message())
    assert server.received == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a00:1]",
        "[2002:a00:1::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
    ],
)
def test_no_address_that_leads_back_inside_is_posted_to(address):
    with pytest.raises(DeliveryRefusedError, match="private network"):
        Destinations().check(f"https://{address}/hook")


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "[2606:4700::1111]", "[64:ff9b::101:101]", "[2002:101:101::1]"]
)
def test_public_addresses_are_posted_to(address):
    Destinations().check(f"https://{address}/hook")
