"""The health port of a worker answers this machine's own programs only."""

import http.client

import pytest

from workers.health import Health, HealthServer, free_loopback_port


@pytest.fixture
def port():
    port = free_loopback_port()
    server = HealthServer(port, Health({"part": "ok"}))
    server.start()
    yield port
    server.stop()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_web_page_reads_neither_health_nor_metrics(port, headers, status):
    for path in ("/healthz", "/readyz", "/metrics"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path, headers=headers)
        assert connection.getresponse().status == status
        connection.close()
