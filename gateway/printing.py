"""What people see on a terminal: verdicts, status, stories, rules, and the progress bar. No decision is taken here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from gateway.domain.finding import Severity
from gateway.once import Progress as RunProgress
from gateway.rules.handbook import ALL_RULES, facts_of, find
from gateway.validation import Judged

_COLOURS: Final = {Severity.FATAL: "red", Severity.HOLD: "yellow", Severity.WARNING: "cyan", Severity.INFO: "dim"}
_DECISIONS: Final = {"send": "green", "hold": "yellow", "refuse": "red"}


def _out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def print_judged(judged: Judged, language: str) -> None:
    """One document for people: the decision, then each finding as a sentence with its remedy."""
    out = _out()
    colour = _DECISIONS[str(judged.decision)]
    name = escape(judged.path + (f"!{judged.member}" if judged.member else ""))
    out.print(f"[{colour}]{judged.decision:<6}[/] {name}  [dim]{judged.kind}, {judged.profile}, {judged.number}[/]")
    for pack in judged.packs:
        if pack.verdict == "not_judged":
            out.print(f"       [yellow]not judged[/] by {pack.name}: {escape(pack.reason or str(pack.missing))}")
    for finding in sorted(judged.findings, key=lambda f: f.severity.rank):
        where = ", ".join(filter(None, (finding.rule, finding.term, f"line {finding.line}" if finding.line else "")))
        out.print(
            f"       [{_COLOURS[finding.severity]}]{finding.severity}[/] "
            f"{escape(finding.message.in_language(language))} [dim]\\[{escape(where)}][/]"
        )
        if remedy := finding.remedy.in_language(language):
            out.print(f"         → {escape(remedy)}")


def print_status(status: dict[str, Any]) -> None:
    """Where everything stands."""
    out = _out()
    table = Table("partner", "files", "documents", "acks owed")
    for name, counts in status["partners"].items():
        owed = status["acks_owed"].get(name, {})
        table.add_row(escape(name), _counts(counts["interchanges"]), _counts(counts["documents"]), _counts(owed))
    out.print(table)
    out.print(f"flows: {_counts(status['flows']) or 'none'}")
    for name, server in status["servers"].items():
        out.print(_server(name, server))
    for job, ran in status["jobs"].items():
        out.print(f"last {escape(job)}: {ran or 'never'}")


def _server(name: str, server: dict[str, str]) -> str:
    if server["state"] == "up":
        return f"server of {escape(name)}: [green]up[/], last reached {server['reached']}"
    again = f", next try {server['next_try']}" if server["next_try"] else ""
    return f"server of {escape(name)}: [red]down[/] since {server['down_since']}{again}: {escape(server['trouble'])}"


def print_story(story: dict[str, Any], language: str) -> None:
    """The whole life of one file."""
    out = _out()
    file = story["file"]
    out.print(f"[bold]{escape(file['name'])}[/] from {file['partner']}: {file['state']}")
    out.print(f"  {file['id']}  {file['size']} bytes  sha256 {file['sha256']}  received {file['received']}")
    out.print(f"  archive: {file['archive']}")
    _print_findings(out, file["findings"], language)
    for document in story["documents"]:
        out.print(f"  [bold]{document['kind']} {escape(document['number'])}[/] {document['state']}  {document['id']}")
        out.print(
            f"    issuer {document['issuer']}, buyer {document['buyer']}, service {document['service_code'] or '–'}, "
            f"EJ {document['ej'] or '–'}, {document['gross']}"
        )
        if document["transformation"]:
            out.print(f"    sent after: {document['transformation']}")
        if document["flow"]:
            flow = document["flow"]
            out.print(f"    flow {flow['id']} ({flow['number'] or 'no number yet'}): {flow['state']}")
        for status in document["statuses"]:
            out.print(f"    {status['at']} {status['status']} {escape(status['comment'])}")
        _print_findings(out, document["findings"], language)
    for line in story["audit"]:
        # Plain lines: a table would cut moments and ids where the output is no terminal.
        out.print(f"  {line['at']} {line['who']:<8} {line['what']:<18} {line['subject']} {escape(line['why'])}")
    for ack in story["acks"]:
        native = f" {ack['native_code']}" if ack["native_code"] else ""
        out.print(
            f"  told: {ack['level']} {ack['event']}{native} → {escape(ack['file']) or 'not yet'} ({ack['state']})"
        )


def print_rules(wanted: str | None) -> bool:
    """Every rule of ours in a line; or one in full. False when there is none of that id."""
    out = _out()
    if wanted is None:
        for rule in ALL_RULES:
            out.print(f"{rule.id:<32} {rule.severity:<8} {escape(rule.asks)}")
        return True
    known = find(wanted)
    if known is None:
        return False
    out.print(f"[bold]{known.id}[/]")
    for name, text in facts_of(known):
        out.print(f"  {name:<12} {escape(text)}")
    return True


@contextmanager
def progress_bar() -> Iterator[Callable[[RunProgress], None]]:
    """A bar on stderr with files, rate and time left; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} files/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("files", total=None, rate="–")

        def show(progress: RunProgress) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = f"{progress.decided / elapsed:.0f}" if elapsed > 1 else "–"
            total = progress.received + progress.waiting
            bar.update(task, completed=progress.decided, total=max(total, progress.decided), rate=rate)

        yield show


def _print_findings(out: Console, findings: list[dict[str, Any]], language: str) -> None:
    for finding in findings:
        key = "en" if language == "en" else "fr"
        out.print(f"    {finding['severity']} {finding['rule']}: {escape(finding['message'][key])}")
        if finding["remedy"][key]:
            out.print(f"      → {escape(finding['remedy'][key])}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
