"""The report of a flow (`consulterCRDetaille`): what became of it, and why each document was refused.

Messages on a document carry no code; several are joined with `|`, and the whole may be cut off in mid-word (domain
facts 1.5). They are split and kept as they are; what they mean is for the table of reasons to say. Messages on the
file are the schema's and name line and position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gateway.domain.flow_states import flow_state
from gateway.routes.chorus_api.answers import Fields
from gateway.routes.protocol import FlowReport, Refusal

SERVICE: Final = "transverses/v1/consulterCRDetaille"
_MOST_REFUSALS: Final = 5000
_LONGEST_JOINED: Final = 20_000
_LINE: Final = re.compile(r"\blignes?\s*:?\s*(\d{1,9})", re.IGNORECASE)
_POSITION: Final = re.compile(r"\b(?:position|colonne)\s*:?\s*(\d{1,9})", re.IGNORECASE)


def read_report(answer: Fields) -> FlowReport:
    """The report as our values."""
    native = answer.text("etatCourantDepotFlux", 100)
    return FlowReport(
        outcome=flow_state(native).outcome,
        native_state=native,
        at=answer.moment("dateHeureEtatCourantFlux"),
        refusals=tuple(islice(_refusals(answer), _MOST_REFUSALS)),
    )


def _refusals(answer: Fields) -> Iterator[Refusal]:
    for error in answer.items("listeErreurDP"):
        number, issuer = error.text("numeroDP", 200), error.text("identifiantFournisseur", 100)
        texts = [text.strip() for text in error.text("libelleErreurDP", _LONGEST_JOINED).split("|")]
        for text in [text for text in texts if text] or [""]:
            yield Refusal(number, issuer, text)
    for error in answer.items("listeErreurTechnique"):
        text = error.text("libelleErreur", _LONGEST_JOINED)
        yield Refusal(
            number="",
            issuer="",
            text=text,
            code=error.text("codeErreur", 100) or error.text("natureErreur", 100),
            line=_number(_LINE, text),
            column=_number(_POSITION, text),
        )


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    """The last one named: the text may quote the document before."""
    found = pattern.findall(text)
    return int(found[-1]) if found else None
