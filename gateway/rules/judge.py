"""Run the packs that concern one document, in order, and write down what each one said and how long it took.

A pack that fails is `not_judged` with the reason, never valid; unless merely facts were missing (the packs speak
for themselves then), it leaves a finding that holds the document on routes where its layer counts. New packs plug
into the registry: nothing here changes with them.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Final

from gateway.domain.document import Document
from gateway.domain.facts import Facts
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.domain.verdict import Judgement, Missing, PackVerdict, Verdict
from gateway.rules.pack import Pack, PackResult, Tree
from gateway.rules.packs import PackRegistry

NOT_JUDGED_RULE: Final = "PACK-NOT-JUDGED"
NONE_ASKED_RULE: Final = "PACK-NONE-ASKED"
_NONE_ASKED: Final = Definition(
    NONE_ASKED_RULE,
    Layer.INTAKE,
    Severity.HOLD,
    Text(
        "Le document n'a été contrôlé par aucun jeu de règles : ceux qui ont été demandés ({packs}) ne jugent pas un "
        "document de type {kind}.",
        "The document was checked by no rule pack: those that were asked for ({packs}) do not judge a document of kind "
        "{kind}.",
    ),
    Text(
        "Demandez avec --pack un jeu de règles qui juge ce type (gateway packs list), ou n'en demandez aucun : tous "
        "ceux qui conviennent jugeront.",
        "Ask with --pack for a rule pack that judges this kind (gateway packs list), or for none: all that fit will "
        "judge.",
    ),
)
_MESSAGE: Final = Text(
    "Le document n'a pas pu être contrôlé par le jeu de règles {pack} : {reason}.",
    "The document could not be checked by the rule pack {pack}: {reason}.",
)
_REMEDY: Final = Text(
    "Rien à corriger dans la facture à ce stade : l'exploitant de la passerelle doit rétablir le contrôle, "
    "puis la faire juger de nouveau (gateway rejudge).",
    "Nothing to mend in the invoice for now: the gateway's operator must restore the check, "
    "then have it judged again (gateway rejudge).",
)
_RULE_LAYERS: Final = frozenset({Layer.FACTURX, Layer.EN16931, Layer.BR_FR})
_NOT_SCHEMA_VALID: Final = Definition(
    "PACK-XSD-INVALID",
    Layer.XSD,
    Severity.INFO,
    Text(
        "La facture n'est pas valide selon son schéma XML ; les règles de gestion ont été appliquées quand même. Une "
        "partie de leurs constats peut venir de là.",
        "The invoice is not valid against its XML schema; the business rules were applied all the same. Some of what "
        "they found may come from that.",
    ),
    Text("Corrigez d'abord les fautes de schéma.", "Mend the schema faults first."),
    pack="xsd",
)


def judge(
    document: Document,
    tree: Tree | None,
    facts: Facts,
    packs: PackRegistry,
    only: frozenset[str] | None = None,
) -> Judgement:
    """The verdicts and findings of every pack that concerns `document` (of those named in `only`, if given)."""
    verdicts: list[PackVerdict] = []
    findings: list[Finding] = []
    schema_faults = ruled = False
    for pack in packs.for_document(document, facts, only):
        started = perf_counter()
        result = _run(pack, document, tree, facts, may_pass=pack.name in packs.own)
        if result is None:
            continue
        ms = (perf_counter() - started) * 1000
        verdicts.append(
            PackVerdict(
                name=pack.name,
                version=pack.version,
                sha256=pack.sha256,
                verdict=result.verdict,
                ms=round(ms, 3),
                missing=result.missing,
                reason=result.reason,
            )
        )
        findings.extend(f if f.pack else replace(f, pack=pack.name) for f in result.findings)
        if result.verdict is Verdict.NOT_JUDGED and result.missing is not Missing.FACTS and not result.explained:
            findings.append(_not_judged(pack.layer, pack.name, result.reason))
        schema_faults |= pack.layer is Layer.XSD and result.verdict is Verdict.INVALID
        ruled |= pack.layer in _RULE_LAYERS and result.verdict is not Verdict.NOT_JUDGED
    if schema_faults and ruled:
        findings.append(_NOT_SCHEMA_VALID.at())
    if only is not None and not verdicts:
        return _none_of(only, document)
    return Judgement(tuple(verdicts), tuple(findings))


def _run(pack: Pack, document: Document, tree: Tree | None, facts: Facts, *, may_pass: bool) -> PackResult | None:
    """The pack's word; None when it is one of our own that does not concern the document."""
    try:
        if pack.applies(document, facts):
            return pack.run(document, tree, facts)
        # An entry of packs.toml was chosen because it covers the document: its silence would pass for consent.
        reason = f"it covers this document, but has no rules for the kind {document.kind}"
        return None if may_pass else PackResult.not_judged(Missing.UNAVAILABLE, reason)
    except MemoryError:
        return PackResult.not_judged(Missing.CEILING, "out of memory")
    except Exception as error:  # the promise of a verdict that cannot lie: no failure passes for valid
        return PackResult.not_judged(Missing.ENGINE, f"{type(error).__name__}: {error}")


def _none_of(asked: frozenset[str], document: Document) -> Judgement:
    """Not one of the packs asked for judges this document: without a word it would be taken for sound."""
    reason = f"it has no rules for the kind {document.kind}"
    verdicts = tuple(
        PackVerdict(name, "", "", Verdict.NOT_JUDGED, missing=Missing.UNAVAILABLE, reason=reason)
        for name in sorted(asked)
    )
    return Judgement(verdicts, (_NONE_ASKED.at(packs=", ".join(sorted(asked)), kind=document.kind),))


def _not_judged(layer: Layer, pack: str, reason: str) -> Finding:
    return Definition(NOT_JUDGED_RULE, layer, Severity.HOLD, _MESSAGE, _REMEDY, pack=pack).at(pack=pack, reason=reason)
