from decimal import Decimal

from infra.runtime.temporal.payload_converter import SharedPydanticPayloadConverter
from models.trading.risk.limits import AccountLimits


def test_converters_of_two_workflows_share_what_they_know_of_a_type():
    first, second = SharedPydanticPayloadConverter(), SharedPydanticPayloadConverter()
    assert first.converters[b"json/plain"] is second.converters[b"json/plain"]


def test_converter_keeps_exact_numbers_and_every_other_encoding():
    converter = SharedPydanticPayloadConverter()
    given = [AccountLimits(risk_share=Decimal("0.0050")), None, b"raw"]
    payloads = converter.to_payloads(given)
    assert converter.from_payloads(payloads, [AccountLimits, type(None), bytes]) == given
    assert [payload.metadata["encoding"] for payload in payloads] == [
        b"json/plain",
        b"binary/null",
        b"binary/plain",
    ]
