"""What the rules say to people: both languages, a term where the rule names one, a remedy, and no rule left out."""

from __future__ import annotations

import re

import pytest

from gateway.rules.rulebook.catalogue import FILLED_IN, SheetRule, rules_of_pack
from gateway.rules.rulebook.texts.french import french_of
from gateway.rules.rulebook.texts.wording import is_french, published_id, reason_of, shown, wording_of
from gateway.rules.spec import packs_file, read_specs

RULES = [rule for spec in read_specs(packs_file()) for rule in rules_of_pack(spec)]


@pytest.mark.parametrize(
    ("official", "french"),
    [
        ("An Invoice shall have an Invoice number (BT-1).", "Il manque le numéro de la facture (BT-1)"),
        (
            "The Payee name (BT-59) shall be provided in the Invoice, if the Payee (BG-10) is different from the "
            "Seller (BG-4).",
            "Il manque le nom du bénéficiaire du paiement (BT-59)",
        ),
        (
            "Each Invoice line (BG-25) shall contain the Item name (BT-153).",
            "Il manque la désignation de l'article (BT-153) dans la ligne de facture (BG-25)",
        ),
        ("An Invoice shall have at least one Invoice line (BG-25)", "La facture n'a aucune ligne (BG-25)"),
        (
            "Invoice total amount with VAT (BT-112) = Invoice total amount without VAT (BT-109) + Invoice total VAT "
            "amount (BT-110).",
            "Le total TTC (BT-112) n'est pas égal à : total HT (BT-109) + total de TVA (BT-110)",
        ),
        (
            "Amount due for payment (BT-115) = Invoice total amount with VAT (BT-112) -Paid amount (BT-113) +Rounding "
            "amount (BT-114).",
            "Le net à payer (BT-115) n'est pas égal à : total TTC (BT-112) - montant déjà payé (BT-113) + arrondi "
            "(BT-114)",
        ),
        (
            "The allowed maximum number of decimals for the Invoice line net amount (BT-131) is 2.",
            "Le montant HT de la ligne (BT-131) a plus de 2 décimales",
        ),
        (
            "In case the Amount due for payment (BT-115) is positive, either the Payment due date (BT-9) or the "
            "Payment terms (BT-20) shall be present.",
            "Il manque la date d'échéance (BT-9) ou les conditions de paiement (BT-20)",
        ),
        (
            'A VAT Breakdown (BG-23) with VAT Category code (BT-118) "Reverse charge" shall have a VAT exemption '
            'reason code (BT-121), meaning "Reverse charge" or the VAT exemption reason text (BT-120) "Reverse '
            'charge" (or the equivalent standard text in another language).',
            "Il manque le code motif d'exonération de TVA (BT-121) ou le motif d'exonération de TVA (BT-120) dans la "
            "ventilation de la TVA (BG-23) (catégorie de TVA : autoliquidation, AE)",
        ),
        (
            "An Invoice that contains an Invoice line (BG-25) where the Invoiced item VAT category code (BT-151) is "
            '"Not subject to VAT" shall not contain the Seller VAT identifier (BT-31), the Seller tax representative '
            "VAT identifier (BT-63) or the Buyer VAT identifier (BT-48).",
            "La facture porte le numéro de TVA du vendeur (BT-31), le numéro de TVA du représentant fiscal (BT-63) ou "
            "le numéro de TVA de l'acheteur (BT-48), ce que cette règle interdit (catégorie de TVA : hors champ de la "
            "TVA, O)",
        ),
        (
            "For each different value of VAT category rate (BT-119) where the VAT category code (BT-118) is "
            '"Standard rated", the VAT category taxable amount (BT-116) in a VAT breakdown (BG-23) shall equal the sum '
            "of Invoice line net amounts (BT-131).",
            "La base de la catégorie de TVA (BT-116) ne correspond pas au calcul attendu (montant HT de la ligne "
            "(BT-131)) (catégorie de TVA : taux normal, S)",
        ),
        (
            "A UBL invoice should not include the InvoiceLine Item Dimension",
            "La facture porte InvoiceLine/Item/Dimension, que la norme EN 16931 n'utilise pas à cet endroit",
        ),
        (
            "Element 'ram:Content' must occur exactly 1 times.",
            "L'élément ram:Content doit figurer exactement une fois à cet endroit",
        ),
        (
            "Attribute @schemeID' marked as not used in the given context.",
            "L'attribut schemeID n'est pas prévu à cet endroit par ce profil",
        ),
        ("Value of 'ram:TypeCode' is not allowed.", "La valeur de ram:TypeCode n'est pas dans la liste autorisée"),
        (
            "Invoice currency code MUST be coded using ISO code list 4217 alpha-3",
            "La devise de la facture (BT-5) n'est pas dans la liste autorisée (ISO code list 4217 alpha-3)",
        ),
    ],
)
def test_an_official_sentence_has_its_french(official: str, french: str) -> None:
    said = french_of(official)

    assert said is not None
    assert said.fr == french


@pytest.mark.parametrize(
    ("rule", "official", "term", "french", "english"),
    [
        (
            "BR-FR-12_BT-49",
            '[BR-FR-12/BT-49] : Le BT-49 (cbc:EndpointID) est obligatoire. Valeur actuelle : BT-49="…".',
            "BT-49",
            'Le BT-49 (cbc:EndpointID) est obligatoire. Valeur actuelle : BT-49="…".',
            "The buyer electronic address (BT-49) is missing.",
        ),
        (
            "BR-FR-09_EXT-FR-FE-92",
            "BR-FR-09/EXT-FR-FE-92 : Le SIRET doit contenir 14 chiffres et commencer par le SIREN.",
            "EXT-FR-FE-92",
            "Le SIRET doit contenir 14 chiffres et commencer par le SIREN.",
            "EXT-FR-FE-92 is no SIRET of 14 digits that begins with the SIREN.",
        ),
    ],
)
def test_a_rule_that_is_french_already_keeps_its_text_and_has_english_beside_it(
    rule: str, official: str, term: str, french: str, english: str
) -> None:
    wording = wording_of(rule, official)

    assert wording.official_is_french
    assert (wording.term, shown(official), wording.other) == (term, french, english)


def test_a_sentence_of_no_known_form_is_told_with_the_official_text() -> None:
    wording = wording_of("X-1", "[X-1]-The moon (BT-1) rises at ten.")

    assert wording.other == (
        "La règle X-1 n'est pas respectée (le numéro de la facture (BT-1)). Texte officiel : The moon (BT-1) rises at "
        "ten."
    )
    assert wording.remedy.fr == "Corrigez le numéro de la facture (BT-1) comme cette règle le demande"


def _words(rule: SheetRule) -> tuple[str, str, str, str]:
    wording = wording_of(rule.rule, rule.message)
    return wording.other, wording.remedy.fr, wording.remedy.en, shown(rule.message)


def test_every_rule_of_every_sheet_has_an_id_both_languages_and_a_remedy() -> None:
    assert len(RULES) == 6_694  # en16931-cii shares the 627 of a Factur-X sheet
    for rule in RULES:
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", rule.rule), rule
        for text in _words(rule):
            assert text.strip(), rule
            assert "{" not in text.replace("{}", ""), rule
            assert "None" not in text, rule


def test_nearly_every_english_rule_is_told_in_french_of_our_own() -> None:
    """What falls back on the official text is counted: a pack with new forms shows here, and wants a look."""
    english = [rule for rule in RULES if not wording_of(rule.rule, rule.message).official_is_french]
    fallen = {rule.rule for rule in english if "Texte officiel" in wording_of(rule.rule, rule.message).other}

    assert len(english) > 6_000
    assert len(fallen) < 75, sorted(fallen)


def test_the_french_sentences_are_french_and_the_english_ones_english() -> None:
    for rule in RULES:
        wording = wording_of(rule.rule, rule.message)
        if wording.official_is_french:
            assert not is_french(wording.other), rule
        elif "Texte officiel" not in wording.other and "«" not in wording.other:
            assert not re.search(r"\b(?:the|shall|should|must|is|not)\b", wording.other), (rule, wording.other)


def test_a_rule_that_names_a_term_is_told_with_one() -> None:
    named = [rule for rule in RULES if re.search(r"\bB[TG]-[0-9]+\b", rule.message)]

    assert len(named) > 1_500
    assert [rule.rule for rule in named if not wording_of(rule.rule, rule.message).term] == []


def test_ids_made_by_us_are_those_of_rules_without_one() -> None:
    made = [rule for rule in RULES if not rule.sheet_rule]

    assert len(made) == 1_066 + 1  # "not used" in the Factur-X sheets and en16931-cii, and one beside them
    assert {rule.rule for rule in made if not rule.rule.startswith(("FACTURX-", "EN16931-CII-"))} == {"BR-FXEXT-04"}
    assert published_id("facturx-basic-rules", "", "Attribute @schemeID' marked as not used in the given context.") == (
        "FACTURX-BASIC-UNUSED-SCHEMEID"
    )


def test_why_a_rule_could_not_be_computed_is_told_in_french_too() -> None:
    assert reason_of("2 RegistrationName where one is expected").fr == "2 RegistrationName là où un seul est attendu"
    assert reason_of("out of this world").fr == "out of this world"


def test_a_value_of_a_document_stands_for_itself_in_the_catalogue() -> None:
    quoting = [rule for rule in RULES if rule.quotes]

    assert {"BR-FR-08_BT-23", "BR-FREXT-CO-12"} <= {rule.rule for rule in quoting}
    assert all(FILLED_IN in rule.message for rule in quoting)
