"""What the demo prints when all is over: a row a file, totals, one refusal as the clerk reads it, where to look."""

from __future__ import annotations

import csv
import io
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from gateway.demo.audit import Counts
from gateway.demo.drops import End, Ending
from gateway.demo.files import SHOWN
from gateway.demo.outcome import Result
from gateway.demo.scene import ERP, OPERATOR, Scene
from gateway.domain.reasons import CATALOGUE, Reason

#: What the columns are made for, and what is taken where nobody says how wide the paper is.
_WIDTH: Final = 100
_GOOD: Final = frozenset({End.PAID, End.FINAL, End.WITH_BUYER})
_REFUSED: Final = frozenset({End.REJECTED, End.BOUNCED, End.REFUSED})
#: Ends that need no reason of their own.
_PLAIN: Final[Mapping[End, str]] = {
    End.FINAL: "this buyer never tells payment",
    End.DUPLICATE: "nothing was sent again",
    End.UNTOUCHED: "it is not finished",
}
_REASONS_AT_LEAST: Final = 10
_INTRODUCTION: Final = f"""\
A simulated Chorus Pro with nine public bodies, and a gateway with two senders: {ERP}, an ERP, and {OPERATOR}, an \
EDI operator. The first pushes by SFTP, the second writes into its folder. They bill for three issuers: Papeterie du \
Ponant (PON), Ateliers du Levant (LEV), Propreté du Midi (PRO).
"""


def show(
    results: Sequence[Result], sent: Counts, wrong: Sequence[str], scene: Scene, seconds: float, *, stays: bool
) -> None:
    """Everything, in the order in which a newcomer asks for it. A pipe gets 100 columns and no colour.

    `stays`: the demo goes on afterwards, and need not be recommended.
    """
    out = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, emoji=False)
    with out.capture() as captured:
        out.print(_INTRODUCTION)
        out.print(_files(results))
        out.print("² dropped when the others had come to their ends. A rule: gateway rules show RULE.\n")
        reasons = max(results, key=lambda result: len(result.endings))
        if len(reasons.endings) >= _REASONS_AT_LEAST:
            out.print(_reasons(reasons))
        _totals(out, results, sent, seconds)
        _refusal(out, scene)
        _further(out, scene, stays=stays)
        for complaint in wrong:
            out.print(f"NOT AS FORESEEN: {complaint}", style="red", markup=False, soft_wrap=True)
        if not wrong:
            out.print("\nEverything ended as foreseen.", style="green")
    text = "\n".join(line.rstrip() for line in captured.get().split("\n"))
    # An old locale cannot show every name; the demo does not end over that.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _files(results: Sequence[Result]) -> Table:
    table = _table("What became of each file")
    table.add_column("file", max_width=21, overflow="fold")
    table.add_column("what it is", max_width=28)
    table.add_column("what became of it", max_width=17)
    table.add_column("why", max_width=31, overflow="fold")
    former: End | None = None
    for result in sorted(results, key=lambda result: list(End).index(_gravest(result))):
        if former is not None and _gravest(result) is not former:
            table.add_section()
        former = _gravest(result)
        about = f"{result.file.about} ²" if result.file.second else result.file.about
        table.add_row(escape(result.shown_name), escape(about), _became(result.endings), escape(_why(result)))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)


def _gravest(result: Result) -> End:
    return max((ending.end for ending in result.endings), key=list(End).index)


def _became(endings: Sequence[Ending]) -> str:
    counted = Counter(ending.end for ending in endings)
    if len(endings) == 1:
        return _coloured(endings[0].end, endings[0].end)
    return "\n".join(_coloured(end, f"{times} {end}") for end, times in counted.items())


def _coloured(end: End, text: str) -> str:
    colour = "green" if end in _GOOD else "red" if end in _REFUSED else "yellow"
    return f"[{colour}]{escape(text)}[/]"


def _why(result: Result) -> str:
    reasoned = [(ending, words) for ending, words in zip(result.endings, result.told, strict=True) if ending.why]
    if not reasoned:
        return _PLAIN.get(_gravest(result), "")
    if len(reasoned) > 1:
        return f"{len({ending.why for ending, _ in reasoned})} reasons, listed below"
    ending, words = reasoned[0]
    match ending.end:
        case End.BOUNCED:
            return words
        case End.WITH_BUYER:
            return f"its status is {ending.why}"
        case End.REFUSED | End.HELD:
            return f"{ending.why}, {words}" if words else ending.why
    return CATALOGUE[Reason(ending.why)].label.en if ending.why in CATALOGUE else ending.why


def _reasons(result: Result) -> Table:
    title = f"The State's 16 reasons, recognised in what buyers wrote ({result.shown_name})"
    table = _table(title)
    for column in ("the buyer wrote", "reason code", "the sender is to"):
        table.add_column(column)
    for ending, words in zip(result.endings, result.told, strict=True):
        action = CATALOGUE[Reason(ending.why)].action if ending.why in CATALOGUE else "?"
        table.add_row(escape(words), ending.why, {"none": "do nothing", "contact": "call"}.get(action, str(action)))
    return table


def _totals(out: Console, results: Sequence[Result], sent: Counts, seconds: float) -> None:
    counted = Counter(ending.end for result in results for ending in result.endings)
    out.print(
        f"\n[bold]Totals[/]: {len(results)} files in {seconds:.0f} s; counted by invoice, for an archive holds several:"
    )
    for end in End:
        if counted[end]:
            out.print(f"  {counted[end]:>3} {end}")
    out.print(
        f"Chorus Pro (the simulator) received {sent.documents} invoices in {sent.flows} deposits, "
        f"{sent.doubled or 'none'} of them twice. The answer to one deposit was lost on purpose: the gateway searched "
        "for its invoices, found them, and did not send them again."
    )


def _refusal(out: Console, scene: Scene) -> None:
    """One refusal, word for word from the ERP's acknowledgement files."""
    for path in sorted(scene.outbox(ERP).glob("*_decision_*.csv")):
        child = path.with_name(path.name.removesuffix(".csv") + ".findings.csv")
        if not child.exists():
            continue
        row = next((row for row in _rows(path.read_bytes()) if row["file_name"] == SHOWN), None)
        finding = next((f for f in _rows(child.read_bytes()) if row and f["ack_id"] == row["ack_id"]), None)
        if row is None or finding is None:
            continue
        out.print("\n[bold]One refusal, as the clerk reads it[/] in", child.name, soft_wrap=True)
        line = f", ligne {finding['line']}" if finding["line"] else ""
        text = (
            f"Facture {row['document_number']} ({row['file_name']}), {row['gross']} {row['currency']} TTC : refusée\n"
            f"{finding['message']}\n"
            f"→ {finding['remedy']}  [{finding['rule']}, {finding['term']}{line}]"
        )
        out.print(Padding(escape(text), (0, 2)))
        return


def _rows(content: bytes) -> list[Mapping[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def _further(out: Console, scene: Scene, *, stays: bool) -> None:
    if not scene.kept:
        return
    config = shlex.quote(str(scene.config))
    command = shlex.quote(sys.argv[0]) if sys.argv[0].endswith("gateway") else "gateway"
    again = () if stays else (("a demo that goes on, for files of your own by SFTP", f"{command} demo --stay"),)
    parts = (
        (
            "Acknowledgements",
            (
                (f"{ERP}: CSV in French, one file a tick", scene.outbox(ERP)),
                (f"{OPERATOR}: JSON Lines in English, one file for each file sent", scene.outbox(OPERATOR)),
            ),
        ),
        (
            "Look further",
            (
                (
                    "the whole story of a file, by its name or an invoice's number",
                    f"{command} show {SHOWN} -c {config}",
                ),
                ("where everything stands", f"{command} status -c {config}"),
                ("judge a file of your own; nothing is sent", f"{command} validate FILE -c {config}"),
                ("a rule", f"{command} rules show CHORUS-EJ-MISSING"),
                *again,
                ("the folder, which stays until you delete it", scene.folder),
            ),
        ),
    )
    for title, rows in parts:
        out.print(f"\n[bold]{title}[/]")
        for label, value in rows:
            # Paths and commands are there to be copied: they are never broken.
            out.print(f"  {escape(label)}\n      {escape(str(value))}", soft_wrap=True)
