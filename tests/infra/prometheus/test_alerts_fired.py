"""Every alert, from figures that are scraped to a mailbox: by the files that installations load.

Prometheus, Alertmanager, the mail server and the one that webhooks are posted to are real; only
the waiting is shortened.
"""

import email
import json
import threading
import time
from contextlib import contextmanager
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from aiosmtpd.controller import Controller

from api.messages.notifications import Alerts
from api.routes.governance.notifications import alert_notice
from models.trading.governance.notifications.notice import Severity
from tests.infra.prometheus.test_rules import ALWAYS, BLIND, CALM, WORSE, pages, rules
from tests.support.free_ports import free_block
from tests.support.own_stack import wait_until
from tests.support.prometheus import Receivers, alertmanager_of, prometheus_of

API, TRADING, MARKET, TEMPORAL = 0, 4, 5, 7
"""Ports of the processes, after the first."""
TOLD_BY_MARKET = "aether_feed_age_seconds"
TOKEN = "a-token-of-a-person"
SECONDS = 60
WORST = {name: value for ways in WORSE.values() for name, value in ways[0].items()}
"""The first way in which each alert fires, all at once."""


class Server(ThreadingHTTPServer):
    daemon_threads = True


@contextmanager
def serving(port, handler):
    server = Server(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(BaseHTTPRequestHandler):
    def answer(self, body=b"", status=200):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


class Figures:
    """What the processes tell, as promtool's tests write it: a first value, and its growth."""

    def __init__(self):
        self.changes, self.lost, self.since = {}, (), time.monotonic()

    def set(self, changes=(), lost=()):
        self.changes, self.lost, self.since = dict(changes), lost, time.monotonic()

    def is_up(self, job):
        return self.now()[f'up{{job="{job}"}}'] == 1

    def now(self):
        found = {n: v for n, v in (CALM | self.changes).items() if v is not None}
        return {name: self._value(text) for name, text in found.items()}

    def page(self, *, of_market):
        rows = self.now().items()
        return "".join(
            f"{name} {value}\n"
            for name, value in rows
            if not name.startswith("up{")
            and name.partition("{")[0] not in self.lost
            and name.startswith(TOLD_BY_MARKET) is of_market
        ).encode()

    def _value(self, text):
        first, _, growth = text.split()[0].partition("x")[0].partition("+")
        # promtool steps every five seconds; nobody waits for that here.
        return float(first) + float(growth or 0) * int(time.monotonic() - self.since)


class Mailbox:
    def __init__(self):
        self.letters = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        letter = email.message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append((*envelope.rcpt_tos, letter))
        return "250 Message accepted for delivery"


class Watch:
    """All that was sent, and what may be changed."""

    def __init__(self, figures, mailbox, posts, prometheus, alertmanager):
        self.figures, self.mailbox, self.posts = figures, mailbox, posts
        self.prometheus, self.alertmanager = prometheus, alertmanager

    def letters(self, address):
        """Return the alert of each letter to an address, with its text."""
        return {
            letter["subject"].split()[1]: letter.get_body(("html",)).get_content()
            for to, letter in self.mailbox.letters
            if to == address
        }

    def posted(self, path):
        """Return the alerts that were posted, as the platform reads them."""
        bodies = [body for where, _, body in self.posts if where == path]
        return [alert for body in bodies for alert in Alerts.model_validate(body).alerts]

    def settle(self):
        """Let everything be in order, and forget what was sent until then."""
        self.figures.set()
        wait_until(lambda: self.prometheus.firing() == {ALWAYS}, "all is in order", SECONDS)
        wait_until(lambda: self.held() == {ALWAYS: "active"}, "all is told", SECONDS)
        self.mailbox.letters.clear()
        self.posts.clear()

    def held(self):
        """Return how Alertmanager treats each alert that it knows."""
        url = f"http://127.0.0.1:{self.alertmanager}/api/v2/alerts"
        found = httpx.get(url, trust_env=False).json()
        return {one["labels"]["alertname"]: one["status"]["state"] for one in found}


PLATFORM, BEAT = "/api/v1/notifications/alertmanager", "/alive"
ON_CALL, OPERATIONS = "on-call@aether.invalid", "operations@aether.invalid"


@contextmanager
def exporters(base, figures):
    """Tell figures as the processes do, each on its port; one that is not up hangs up."""

    def of(job, *, of_market=None):
        class Handler(Quiet):
            def do_GET(self):
                if not figures.is_up(job):
                    return
                self.answer(b"" if of_market is None else figures.page(of_market=of_market))

        return Handler

    jobs = {"aether-trading": TRADING, "aether-temporal": TEMPORAL}
    with (
        serving(base + API, type("Api", (Quiet,), {"do_GET": lambda self: self.answer(
            figures.page(of_market=False))})),
        serving(base + MARKET, type("Market", (Quiet,), {"do_GET": lambda self: self.answer(
            figures.page(of_market=True))})),
        serving(base + jobs["aether-trading"], of("aether-trading")),
        serving(base + jobs["aether-temporal"], of("aether-temporal")),
    ):  # fmt: skip
        yield


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    place, base, figures = tmp_path_factory.mktemp("watched"), free_block(), Figures()
    mailbox, posts, mail_port = Mailbox(), [], free_block()

    class Post(Quiet):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posts.append((self.path, self.headers["Authorization"], body))
            self.answer()

    token = place / "token"
    token.write_text(TOKEN)
    mails = Controller(mailbox, "127.0.0.1", mail_port, ready_timeout=30)
    mails.start()
    try:
        with (
            exporters(base, figures),
            serving(0, Post) as post_port,
            alertmanager_of(Receivers(mail_port, post_port, token), place) as sender,
            prometheus_of(base, place, alertmanager=sender) as found,
        ):
            yield Watch(figures, mailbox, posts, found, sender)
    finally:
        mails.stop()


@pytest.fixture(autouse=True)
def settled(watch):
    watch.settle()


def test_the_dead_mans_switch_is_heard_again_and_again_and_nobody_is_woken(watch):
    wait_until(lambda: len(watch.posted(BEAT)) >= 3, "three beats", SECONDS)
    assert {one.labels["alertname"] for one in watch.posted(BEAT)} == {ALWAYS}
    assert watch.mailbox.letters == []
    assert watch.posted(PLATFORM) == []


def test_a_figure_that_vanishes_is_a_letter_unless_the_record_is_down(watch):
    lost = ("aether_audit_checkpoint_age_seconds",)
    watch.figures.set(lost=lost)
    wait_until(lambda: BLIND in watch.letters(OPERATIONS), "a letter", SECONDS)
    assert lost[0] in watch.letters(OPERATIONS)[BLIND]
    assert watch.letters(ON_CALL) == {}
    watch.settle()
    watch.figures.set({"aether_record_up": "0x1"})
    wait_until(lambda: watch.letters(ON_CALL), "a page", SECONDS)
    watch.figures.set({"aether_record_up": "0x1"}, lost)
    wait_until(lambda: watch.held().get(BLIND) == "suppressed", "it is held back", SECONDS)
    assert watch.letters(OPERATIONS) == {}


def test_every_alert_reaches_its_mailbox_and_the_platform_with_its_runbook_and_ends(watch):
    # The last one: what has grown within fifteen minutes goes on firing for as long.
    wanted = {rule["alert"] for rule in rules()} - {ALWAYS, BLIND}
    watch.figures.set(WORST)
    wait_until(lambda: set(watch.letters(ON_CALL)) == set(pages()), "a letter for each", SECONDS)
    tickets = wanted - set(pages())
    wait_until(lambda: set(watch.letters(OPERATIONS)) >= tickets, "one for each ticket", SECONDS)
    assert (set(watch.letters(ON_CALL)), set(watch.letters(OPERATIONS))) == (set(pages()), tickets)
    for name, text in (watch.letters(ON_CALL) | watch.letters(OPERATIONS)).items():
        assert f"docs/runbooks/{name}.md" in text, name

    wait_until(lambda: wanted <= named(watch.posted(PLATFORM)), "each is posted", SECONDS)
    told = [alert_notice(alert, {"company"}) for alert in watch.posted(PLATFORM)]
    assert {one.event for one in told if one.severity is Severity.CRITICAL} == set(pages())
    assert {(one.event, one.runbook) for one in told} == {
        (name, f"docs/runbooks/{name}.md") for name in wanted
    }
    assert {bearer for path, bearer, _ in watch.posts if path == PLATFORM} == {f"Bearer {TOKEN}"}

    watch.figures.set()
    over = {"AetherKillSwitchUnacknowledged", "AetherTradingAbsentWithPositions"}
    over |= {"AetherWitnessStale", "AetherPrivateStreamDown"}
    wait_until(
        lambda: over <= named(a for a in watch.posted(PLATFORM) if a.status == "resolved"),
        "their ends are posted",
        SECONDS,
    )


def named(alerts):
    return {alert.labels["alertname"] for alert in alerts}
