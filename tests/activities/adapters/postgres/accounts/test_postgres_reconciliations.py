"""What reconciliation found stays readable: differences, repairs and orders that nobody owns."""

from sqlmodel import col, select

from activities.ports.journal import Discrepancies
from models.tables import AuditRow, ReconciliationRow
from tests.support.record_builders import NOW, a_report, an_order


async def test_report_keeps_what_differed_what_was_repaired_and_who_the_stranger_is(
    journal, database
):
    stranger = a_report(an_order(client_order_id=None), "OSTRANGER")
    found = Discrepancies(
        differences={"unknown_orders": ["OSTRANGER"], "balances": []},
        repaired={"fills": ["T1", "T2"], "ended_orders": []},
        unknown_orders=(stranger,),
    )
    await journal.record_reconciliation("company", found, NOW)
    await journal.record_reconciliation("company", Discrepancies(), NOW)
    async with database.account_scope("company") as session:
        rows = (
            await session.exec(select(ReconciliationRow).order_by(col(ReconciliationRow.number)))
        ).all()
        audited = (await session.exec(select(AuditRow))).all()
    assert [row.clean for row in rows] == [False, True]
    assert [row.complete for row in rows] == [True, True]
    assert rows[0].differences == {"unknown_orders": ["OSTRANGER"]}
    assert rows[0].repaired == {"fills": ["T1", "T2"]}
    described = rows[0].unknown_orders["OSTRANGER"]
    assert described["symbol"] == "BTC/USD"
    assert described["quantity"] == "0.10"
    assert "client_order_id" not in described
    assert [r.details for r in audited if r.action == "reconciliation_differs"] == [
        {"unknown_orders": "OSTRANGER"}
    ]
