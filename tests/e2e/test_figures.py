"""What pages read is really told by a running stack."""

from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.infra.prometheus.test_rules import watched
from tests.support.own_stack import wait_until


def _names(port):
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {s.name for f in text_string_to_metric_families(text) for s in f.samples}


@pytest.mark.stack
@pytest.mark.alone
def test_a_running_stack_tells_every_figure_that_pages_read(stack):
    wanted = {*watched(), "aether_record_up", "aether_trades_open_count"}
    found = set()

    def all_told():
        for port in (0, 4, 5):
            found.update(_names(stack.port_base + port))
        return wanted <= found

    wait_until(all_told, f"all of {wanted} told", 120)
