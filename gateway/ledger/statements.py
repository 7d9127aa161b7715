"""Every statement that reads or moves the ledger, by name. None is built from strings, none hides in a step.

Claims are by partner (`…_OF_PARTNER`): the caller goes round the partners, so that nobody waits behind a bulk
sender, and each statement is a range scan of one index however long the tables grow.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from sqlalchemy import Table, Update, and_, bindparam, func, insert, literal, or_, select, update

from gateway.ledger.tables import (
    ack,
    ack_file,
    ack_part,
    ack_sequence,
    audit,
    document,
    flow,
    interchange,
    schedule,
    status_event,
    watermark,
)

# --- moves -----------------------------------------------------------------------------------------------------


@cache
def move(table: Table, columns: frozenset[str]) -> Update:
    """Move one row out of the state it was read in; `columns` are set with it. Bound: id_, before_, after_, c_…"""
    values: dict[str, object] = {name: bindparam(f"c_{name}") for name in columns}
    return (
        update(table)
        .where(table.c.id == bindparam("id_"), table.c.state == bindparam("before_"))
        .values(state=bindparam("after_"), **values)
    )


@cache
def amend(table: Table, columns: frozenset[str]) -> Update:
    """Set columns of one row without a move. Bound: id_, c_…"""
    return (
        update(table).where(table.c.id == bindparam("id_")).values({name: bindparam(f"c_{name}") for name in columns})
    )


# --- interchanges ----------------------------------------------------------------------------------------------

ADD_INTERCHANGE = insert(interchange)

#: The oldest interchanges of one partner in one state.
INTERCHANGES_OF_PARTNER = (
    select(interchange)
    .where(interchange.c.state == bindparam("state"), interchange.c.partner == bindparam("partner"))
    .order_by(interchange.c.id)
    .limit(bindparam("limit"))
)

#: How many interchanges of one partner are between the folder and the ledger's documents.
IN_FLIGHT = select(func.count()).where(
    interchange.c.partner == bindparam("partner"),
    interchange.c.state.in_(("seen", "claimed", "archived")),
)

#: The interchange that last brought these bytes from this partner. The last, not the first: bytes that were refused
#: at first and taken the second time are a duplicate the third time.
LAST_WITH_BYTES = (
    select(interchange)
    .where(
        interchange.c.sha256 == bindparam("sha256"),
        interchange.c.partner == bindparam("partner"),
        interchange.c.state.in_(("opened", "refused", "quarantined", "duplicate")),
        interchange.c.id < bindparam("before"),
    )
    .order_by(interchange.c.id.desc())
    .limit(1)
)

INTERCHANGE = select(interchange).where(interchange.c.id == bindparam("id_"))

# --- documents -------------------------------------------------------------------------------------------------

ADD_DOCUMENT = insert(document)

DOCUMENTS_OF_PARTNER = (
    select(document)
    .where(document.c.state == bindparam("state"), document.c.partner == bindparam("partner"))
    .order_by(document.c.id)
    .limit(bindparam("limit"))
)

DOCUMENT = select(document).where(document.c.id == bindparam("id_"))

DOCUMENTS_OF_INTERCHANGE = (
    select(document).where(document.c.interchange_id == bindparam("id_")).order_by(document.c.position)
)

DOCUMENTS_OF_FLOW = select(document).where(document.c.flow_id == bindparam("id_")).order_by(document.c.id)

#: Every earlier document with this issuer and number, in the same year of invoice or of deposit (DESIGN 4.3).
SAME_INVOICE = (
    select(document)
    .where(
        document.c.issuer == bindparam("issuer"),
        document.c.number == bindparam("number"),
        document.c.id != bindparam("id_"),
        document.c.state.not_in(("opened", "judged")),
        or_(
            document.c.issue_year == bindparam("issue_year"),
            document.c.deposit_year == bindparam("deposit_year"),
        ),
    )
    .order_by(document.c.id)
)

_awaited = document.alias("awaited")

#: Held documents whose wait is over: the document they wait for is no longer on its way to the platform. A join, for
#: `IN (select …)` reads every document there is.
WAITS_ENDED = (
    select(document)
    .join(_awaited, _awaited.c.id == document.c.waits_for)
    .where(
        document.c.state == "held",
        document.c.waits_for.is_not(None),
        _awaited.c.state.not_in(("ready", "packed", "sent")),
    )
    .order_by(document.c.id)
    .limit(bindparam("limit"))
)

DOCUMENTS_BY_PLATFORM_ID = select(document).where(document.c.platform_id.in_(bindparam("ids", expanding=True)))

#: Held documents of which a finding names this rule, after one id: what may be judged again when facts change.
HELD_BY_RULE = (
    select(document)
    .where(
        document.c.state == "held",
        document.c.findings.contains(bindparam("rule"), autoescape=False),
        document.c.id > bindparam("after"),
    )
    .order_by(document.c.id)
    .limit(bindparam("limit"))
)

#: Written into the statement, so that a plan made for any value sees that the index of live documents serves it.
_LIVE = literal("live", literal_execute=True)

#: Live documents of these issuers that nothing was heard of since a moment: told as silent (and heard again if the
#: buyer wakes up). Only issuers that were asked: silence means nothing while the platform is out of reach.
SILENT_SINCE = (
    select(document)
    .where(
        document.c.state == _LIVE,
        document.c.native_status_at < bindparam("since"),
        document.c.issuer.in_(bindparam("issuers", expanding=True)),
    )
    .order_by(document.c.native_status_at)
    .limit(bindparam("limit"))
)

COUNT_DOCUMENTS = select(document.c.partner, document.c.state, func.count().label("n")).group_by(
    document.c.partner, document.c.state
)
COUNT_INTERCHANGES = select(interchange.c.partner, interchange.c.state, func.count().label("n")).group_by(
    interchange.c.partner, interchange.c.state
)

#: Files and documents refused since a moment.
REFUSED_SINCE = select(
    select(func.count())
    .where(interchange.c.state == "refused", interchange.c.ended_at >= bindparam("since"))
    .scalar_subquery()
    + select(func.count())
    .where(document.c.state == "refused", document.c.changed_at >= bindparam("since"))
    .scalar_subquery()
)

#: Is there any document in these states? (`run --once` asks whether its goal is reached.)
ANY_DOCUMENT_IN = select(document.c.id).where(document.c.state.in_(bindparam("states", expanding=True))).limit(1)
ANY_INTERCHANGE_IN = (
    select(interchange.c.id).where(interchange.c.state.in_(bindparam("states", expanding=True))).limit(1)
)
#: Is anything to be done about a flow in one of these states up to a moment?
ANY_FLOW_DUE = (
    select(flow.c.id)
    .where(flow.c.state.in_(bindparam("states", expanding=True)), flow.c.due_at <= bindparam("by"))
    .limit(1)
)
ANY_FLOW_IN = select(flow.c.id).where(flow.c.state.in_(bindparam("states", expanding=True))).limit(1)

# --- flows -----------------------------------------------------------------------------------------------------

ADD_FLOW = insert(flow)

#: Flows in one state whose time has come, the longest waiting first. Those of issuers that are left alone for a while
#: are passed over, so that they stand in nobody's way.
FLOWS_DUE = (
    select(flow)
    .where(
        flow.c.state == bindparam("state"),
        flow.c.due_at <= bindparam("now"),
        flow.c.issuer.not_in(bindparam("left_alone", expanding=True)),
    )
    .order_by(flow.c.due_at, flow.c.id)
    .limit(bindparam("limit"))
)

FLOW = select(flow).where(flow.c.id == bindparam("id_"))

#: Flows whose call was begun and whose end was never written: the process died in between.
FLOWS_INTENDED = select(flow).where(flow.c.state == "intended")

COUNT_FLOWS = select(flow.c.state, func.count().label("n")).group_by(flow.c.state)

#: Issuers that have anything alive at the platform, for the status search.
ISSUERS_ALIVE = (
    select(document.c.issuer)
    .where(document.c.state.in_(("live", "to-amend", "silent", "final-without-payment")))
    .distinct()
)

# --- statuses --------------------------------------------------------------------------------------------------

ADD_STATUS = insert(status_event)
STATUSES_OF_DOCUMENT = (
    select(status_event)
    .where(status_event.c.document_id == bindparam("id_"))
    .order_by(status_event.c.at, status_event.c.id)
)

# --- acks ------------------------------------------------------------------------------------------------------

ADD_ACK = insert(ack)

#: The acks of these subjects that are owed or told already (an event met twice is told once).
ACKS_ABOUT = select(ack.c.about).where(ack.c.about.in_(bindparam("abouts", expanding=True)))

#: What is owed to one partner at one level and not yet in a file, oldest first.
ACKS_OWED = (
    select(ack)
    .where(
        ack.c.state == "owed",
        ack.c.partner == bindparam("partner"),
        ack.c.level == bindparam("level"),
        ack.c.file_id.is_(None),
    )
    .order_by(ack.c.id)
    .limit(bindparam("limit"))
)

#: Is anything owed to one of these partners? (To one that is configured no more, nothing can be told.)
ANY_ACK_OWED = (
    select(ack.c.id).where(ack.c.state == "owed", ack.c.partner.in_(bindparam("partners", expanding=True))).limit(1)
)
COUNT_ACKS_OWED = (
    select(ack.c.partner, ack.c.level, func.count().label("n"))
    .where(ack.c.state == "owed")
    .group_by(ack.c.partner, ack.c.level)
)
ACKS_OF_INTERCHANGE = select(ack).where(ack.c.interchange_id == bindparam("id_")).order_by(ack.c.id)

ADD_ACK_FILE = insert(ack_file).returning(ack_file.c.id)
ADD_ACK_PART = insert(ack_part)
PUT_ACKS_IN_FILE = (
    update(ack).where(ack.c.id == bindparam("id_"), ack.c.file_id.is_(None)).values(file_id=bindparam("file"))
)
#: Files that are fixed but perhaps not visible in out/ yet, in order.
ACK_FILES_OF = (
    select(ack_file)
    .where(ack_file.c.state == bindparam("state"), ack_file.c.partner == bindparam("partner"))
    .order_by(ack_file.c.id)
    .limit(bindparam("limit"))
)
ACK_PARTS = select(ack_part).where(ack_part.c.file_id == bindparam("file")).order_by(ack_part.c.position)
#: The names of everything of one partner that is written and was not seen to be taken away, file by file.
NAMES_WRITTEN = (
    select(ack_part.c.file_id, ack_part.c.name)
    .join(ack_file, ack_file.c.id == ack_part.c.file_id)
    .where(ack_file.c.state == "written", ack_file.c.partner == bindparam("partner"))
    .order_by(ack_part.c.file_id)
)
ACK_PART_NAMES = select(ack_part.c.name).where(ack_part.c.file_id == bindparam("file"))
MOVE_ACK_FILE = (
    update(ack_file)
    .where(ack_file.c.id == bindparam("file"), ack_file.c.state == bindparam("before"))
    .values(state=bindparam("after"))
)
STAMP_WRITTEN = update(ack_file).where(ack_file.c.id == bindparam("file")).values(written_at=bindparam("at"))
STAMP_PICKED_UP = update(ack_file).where(ack_file.c.id == bindparam("file")).values(picked_up_at=bindparam("at"))
MOVE_ACKS_OF_FILE = (
    update(ack)
    .where(and_(ack.c.file_id == bindparam("file"), ack.c.state == bindparam("before")))
    .values(state=bindparam("after"))
)
LAST_SEQUENCE = select(ack_sequence.c.last).where(
    ack_sequence.c.partner == bindparam("partner"), ack_sequence.c.level == bindparam("level")
)
START_SEQUENCE = insert(ack_sequence)
ADVANCE_SEQUENCE = (
    update(ack_sequence)
    .where(
        ack_sequence.c.partner == bindparam("p"),
        ack_sequence.c.level == bindparam("l"),
        ack_sequence.c.last == bindparam("before"),
    )
    .values(last=bindparam("after"))
)

# --- bookkeeping -----------------------------------------------------------------------------------------------

ADD_AUDIT = insert(audit)
AUDIT_OF = (
    select(audit).where(audit.c.subject.in_(bindparam("subjects", expanding=True))).order_by(audit.c.at, audit.c.id)
)

JOB = select(schedule).where(schedule.c.job == bindparam("name"))
ADD_JOB = insert(schedule)
SET_JOB = (
    update(schedule)
    .where(schedule.c.job == bindparam("name"))
    .values(last_run=bindparam("ran"), next_due=bindparam("due"))
)
JOBS = select(schedule).order_by(schedule.c.job)

WATERMARK = select(watermark.c.until).where(
    watermark.c.route == bindparam("route_"), watermark.c.issuer == bindparam("issuer_")
)
ADD_WATERMARK = insert(watermark)
SET_WATERMARK = (
    update(watermark)
    .where(watermark.c.route == bindparam("route_"), watermark.c.issuer == bindparam("issuer_"))
    .values(until=bindparam("until_"))
)

#: The newest interchange with this file name; `show` takes a name too.
INTERCHANGES_LIKE = (
    select(interchange)
    .where(or_(interchange.c.file_name == bindparam("wanted"), interchange.c.sha256 == bindparam("wanted")))
    .order_by(interchange.c.id)
)
DOCUMENTS_LIKE = (
    select(document)
    .where(
        or_(
            document.c.number == bindparam("wanted"),
            document.c.platform_id == bindparam("wanted"),
        )
    )
    .order_by(document.c.id)
)


def names(values: Iterable[str]) -> list[str]:
    """A list for an expanding parameter (never empty, which some databases refuse)."""
    return list(values) or [""]
