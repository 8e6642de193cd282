"""The advisor: questions about trades, risk and models, answered from the record by templates.

Nothing is guessed: a question that no template fits is answered with those that there are, and a
figure that the record does not hold is said to be unknown. What each answer rests on goes with it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
LONGEST_LIST = 10
UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of question.

    ``pattern`` finds it (with a group ``trade`` where it is about one trade), ``query`` names what
    is read, ``example`` is how it may be asked, ``say`` puts the rows into words.
    """

    name: str
    pattern: str
    query: str
    example: str
    say: Callable[[Sequence[Row]], str]


@dataclass(frozen=True, slots=True)
class Matched:
    """A question with the template that answers it, None: nobody knows."""

    template: Template | None
    trade: int | None = None


def match(question: str) -> Matched:
    """Find the template of a question; the first that fits counts."""
    words = " ".join(question.lower().split())
    for template in TEMPLATES:
        found = re.search(template.pattern, words)
        if found is not None:
            number = found.groupdict().get("trade")
            if number is not None and len(number) > 9:
                continue
            return Matched(template, int(number) if number else None)
    return Matched(None)


def what_may_be_asked() -> str:
    """Return what there is an answer to."""
    examples = "; ".join(template.example for template in TEMPLATES)
    return f"There is no answer to that in the record. What can be asked: {examples}."


def _why_trade(rows: Sequence[Row]) -> str:
    if not rows:
        return "There is no such trade."
    row = rows[0]
    reasons = "; ".join(row["reasons"] or ()) or "a person or the hedge asked for it"
    said = [f"Trade {row['trade']} in {row['symbol']} came from {row['source']}: {reasons}."]
    if row["binding"]:
        said.append(f"Its size was bound by {row['binding']}.")
    if row["probability"] is not None:
        parts = sorted((row["contributions"] or {}).items(), key=lambda one: -abs(one[1]))[:5]
        named = ", ".join(f"{name} {value:+.2f}" for name, value in parts)
        said.append(
            f"Model {row['version']} gave it a probability of {row['probability']:.3f} in the "
            f"regime {row['regime'] or UNKNOWN}; of the model, not of the market: {named}."
        )
    return " ".join(said)


def _result(rows: Sequence[Row]) -> str:
    if not rows:
        return "There is no such trade."
    row = rows[0]
    if row["pnl"] is None:
        return (
            f"Trade {row['trade']} in {row['symbol']} is {row['phase']}: its result is {UNKNOWN}."
        )
    return (
        f"Trade {row['trade']} in {row['symbol']} came to {row['pnl']:.2f} USD after "
        f"{row['fees']:.2f} USD of fees; it ended by {row['exit_reason'] or UNKNOWN}."
    )


def _open(rows: Sequence[Row]) -> str:
    if not rows:
        return "No trade is open."
    said = [
        f"{row['trade']} ({row['symbol']}, {row['phase']}, {row['bought'] - row['sold']:f} held, "
        f"stop {row['stop_price']:f})"
        for row in rows[:LONGEST_LIST]
    ]
    return f"{len(rows)} trades are open: {', '.join(said)}."


def _earned(rows: Sequence[Row]) -> str:
    if not rows:
        return "No trade is settled yet: what was earned is not known."
    said = [
        f"{row['source']}: {row['pnl']:.2f} USD over {row['trades']} trades, "
        f"{row['fees']:.2f} USD of fees"
        for row in rows[:LONGEST_LIST]
    ]
    total = sum(row["pnl"] for row in rows)
    return f"Settled trades came to {total:.2f} USD net. {'; '.join(said)}."


def _refused(rows: Sequence[Row]) -> str:
    if not rows:
        return "No idea was refused in the last seven days."
    said = [f"{row['code']} ({row['number']} times, last: {row['reason']})" for row in rows]
    return f"Ideas of the last seven days were refused for: {'; '.join(said[:LONGEST_LIST])}."


def _risk(rows: Sequence[Row]) -> str:
    if not rows or rows[0]["equity"] is None:
        return "The account's value is not known."
    row = rows[0]
    at_risk = UNKNOWN if row["at_risk"] is None else f"{row['at_risk']:.2f} USD"
    return (
        f"The account was worth {row['equity']:.2f} USD at {row['at']:%Y-%m-%d %H:%M} UTC of "
        f"market time, {row['cash']:.2f} USD of it cash. Between the entry prices and the stops of "
        f"{row['open']} open trades lie {at_risk}."
    )


def _champion(rows: Sequence[Row]) -> str:
    row = rows[0]
    if row["version"] is None or row["model"] == "no-trade":
        what = "No trade is champion: no learned model decides."
    else:
        what = (
            f"Version {row['version']} ({row['trial']}) decides on the ideas of its primary rule."
        )
    since = f"Since {row['changed_at']:%Y-%m-%d %H:%M} UTC"
    return f"{what} {since}, by {row['changed_by']}: {row['reason']}."


def _refusals(rows: Sequence[Row]) -> str:
    if not rows:
        return "The champion has refused no idea for want of a figure."
    said = [f"{row['symbol']} on {row['bar_start']:%Y-%m-%d}: {row['refusal']}" for row in rows]
    return f"Ideas that the champion could not judge: {'; '.join(said[:LONGEST_LIST])}."


def _tried(rows: Sequence[Row]) -> str:
    if not rows:
        return "Nothing was ever tried."
    row = rows[0]
    verdict = "nothing was judged yet"
    if row["passed"] is not None:
        why = ", ".join(row["reasons"] or ())
        verdict = "the newest run passed the gate" if row["passed"] else f"it refused for {why}"
    return f"{row['trials']} trials stand in the ledger, of {row['runs']} runs; {verdict}."


TEMPLATES: tuple[Template, ...] = (
    Template("why_trade", r"\bwhy\b.*\btrade (?:no\.? |number |#)?(?P<trade>\d+)", "why_trade",
             "why was trade 3 entered", _why_trade),
    Template("result", r"\b(?:how|what)\b.*\btrade (?:no\.? |number |#)?(?P<trade>\d+)", "result",
             "what did trade 3 earn", _result),
    Template("champion", r"\b(?:who|which|what)\b.*\b(?:champion|model)\b(?!.*\brefuse)",
             "champion", "which model is champion", _champion),
    Template("refusals", r"\b(?:champion|model)\b.*\brefuse", "refusals",
             "what did the model refuse", _refusals),
    Template("tried", r"\b(?:tried|trials?|training|gate)\b", "tried",
             "what was tried in training", _tried),
    Template("refused", r"\b(?:refused|rejected|not trad|no trades?|nothing)\b", "refused",
             "why was nothing traded", _refused),
    Template("risk", r"\b(?:risk|drawdown|worth|equity|value)\b", "risk",
             "how much is at risk", _risk),
    Template("open", r"\b(?:open|hold|held|holding|positions?)\b", "open",
             "what is open", _open),
    Template("earned", r"\b(?:earn(?:ed)?|profit|loss(?:es)?|lost|results?|pnl)\b", "earned",
             "how much was earned", _earned),
)  # fmt: skip
