"""One order can be followed: the lines of a request, and of the steps that came of it, join."""

import os

from structlog.testing import capture_logs

from infra.runtime.logs import with_ids
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from infra.runtime.temporal.logged_steps import LoggedSteps
from tests.support.platform import OTHER_PORT_BASE, a_key, running_platform
from tests.support.temporal import NAMESPACE, access, eventually, temporal_server

OPEN = {"symbol": "BTC/USD", "quantity": "0.01", "stop_price": "47500"}


async def test_the_lines_of_a_request_and_of_its_orders_join(postgres, tmp_path):
    with temporal_server(tmp_path) as address, capture_logs(processors=[with_ids]) as lines:
        client = await connect(
            address,
            NAMESPACE,
            [PayloadKey("tests", os.urandom(32))],
            tls=access(address),
            interceptors=[LoggedSteps()],
        )
        place = postgres, postgres.new_database(), client, OTHER_PORT_BASE
        async with running_platform(*place) as platform:
            await platform.set_market()
            account = await platform.add_account()
            exchange = await platform.start_account(account)
            path, headers = f"/api/v1/accounts/{account}/trades", a_key()
            opened = await platform.caller.post(path, json=OPEN, headers=headers)
            assert opened.status_code == 202, opened.text

            def of_orders():
                return [
                    line
                    for line in lines
                    if (line["event"], line.get("step")) == ("step done", "place_order")
                ]

            await eventually(lambda: len(of_orders()) >= 2, "entry and stop were logged", 60)
            number = opened.json()["trade"]
            (asked,) = (line for line in lines if line["event"] == "command answered")
            key = headers["Idempotency-Key"]
            assert asked["request_id"].endswith(f"/{key}")
            assert asked["workflow"] == f"trade/{account}/{number}"
            for line in of_orders():
                # The account places the entry, the trade its stop; both name the trade.
                assert line["workflow_id"] in (f"account/{account}", asked["workflow"])
                assert line["workflow_run_id"]
                assert (line["account"], line["trade"]) == (account, number)
            placed = {line["client_order_id"] for line in of_orders()}
            assert placed <= {spec.client_order_id for spec in exchange.submits}
            assert asked["client_order_id"] in placed

            refused = await platform.caller.post(
                path, json=OPEN | {"quantity": "1000"}, headers=a_key()
            )
            assert refused.status_code == 422
            (line,) = (line for line in lines if line["event"] == "command refused")
            assert line["request_id"].endswith(f"/{refused.request.headers['Idempotency-Key']}")
