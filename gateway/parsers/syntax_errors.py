"""libxml2's complaints in plain French and English: what is wrong with the XML, and what to mend.

A table of those that partners meet (cut transfers, a bare `&`, Latin-1 bytes in a UTF-8 file, text glued together);
any other is told in libxml2's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from gateway.domain.finding import Text

_CUT: Final = (
    Text(
        "le fichier s'arrête avant la fin (transfert coupé ?)",
        "the file stops before its end (was the transfer cut?)",
    ),
    Text("Transférez le fichier en entier.", "Transfer the whole file."),
)
_AMPERSAND: Final = (
    Text("un « & » n'est pas suivi d'une entité connue", "an “&” is not followed by a known entity"),
    Text("Écrivez « &amp; » à la place de « & » dans les textes.", "Write “&amp;” for “&” in texts."),
)
_LESS_THAN: Final = (
    Text("un « < » n'ouvre aucune balise valable", "a “<” opens no valid tag"),
    Text("Écrivez « &lt; » à la place de « < » dans les textes.", "Write “&lt;” for “<” in texts."),
)
_BYTES: Final = (
    Text(
        "des octets ne sont pas dans l'encodage déclaré (souvent : du Latin-1 déclaré UTF-8)",
        "some bytes are not in the declared encoding (often: Latin-1 declared as UTF-8)",
    ),
    Text("Enregistrez le fichier en UTF-8.", "Save the file in UTF-8."),
)
_CHARACTER: Final = (
    Text("un caractère de contrôle est interdit en XML", "a control character is not allowed in XML"),
    Text("Retirez les caractères de contrôle des textes.", "Remove control characters from the texts."),
)
_TAGS: Final = (
    Text("une balise fermante ne correspond pas à la balise ouverte", "an end tag does not match the open tag"),
    Text("Fermez chaque balise par la sienne.", "Close each tag with its own end tag."),
)
_AFTER_ROOT: Final = (
    Text(
        "du contenu suit la fin de la facture (deux factures collées, ou des octets en trop)",
        "there is content after the end of the invoice (two invoices glued together, or spare bytes)",
    ),
    Text("Mettez une seule facture par fichier, sans rien après.", "Put one invoice in a file and nothing after it."),
)
_BEFORE_ROOT: Final = (
    Text(
        "le fichier ne commence pas par sa déclaration XML ou sa racine",
        "the file does not begin with its XML declaration or its root",
    ),
    Text("Retirez ce qui précède <?xml … ?>.", "Remove whatever stands before <?xml … ?>."),
)
_PREFIX: Final = (
    Text("un préfixe d'espace de noms n'est pas déclaré", "a namespace prefix is not declared"),
    Text("Déclarez tous les préfixes (xmlns:…) à la racine.", "Declare every prefix (xmlns:…) on the root."),
)
_TWICE: Final = (
    Text("un attribut figure deux fois sur la même balise", "an attribute stands twice on one tag"),
    Text("Ne gardez l'attribut qu'une fois.", "Keep the attribute once."),
)

_T: Final = etree.ErrorTypes
_BY_CODE: Final[Mapping[int, tuple[Text, Text]]] = {
    _T.ERR_TAG_NOT_FINISHED: _CUT,
    _T.ERR_GT_REQUIRED: _CUT,
    _T.ERR_LTSLASH_REQUIRED: _CUT,
    _T.ERR_ATTRIBUTE_NOT_FINISHED: _CUT,
    _T.ERR_COMMENT_NOT_FINISHED: _CUT,
    _T.ERR_CDATA_NOT_FINISHED: _CUT,
    _T.ERR_PI_NOT_FINISHED: _CUT,
    _T.ERR_NAME_REQUIRED: _AMPERSAND,
    _T.ERR_ENTITYREF_NO_NAME: _AMPERSAND,
    _T.ERR_ENTITYREF_SEMICOL_MISSING: _AMPERSAND,
    _T.ERR_UNDECLARED_ENTITY: _AMPERSAND,
    _T.WAR_UNDECLARED_ENTITY: _AMPERSAND,
    _T.ERR_LT_IN_ATTRIBUTE: _LESS_THAN,
    _T.ERR_INVALID_ENCODING: _BYTES,
    _T.ERR_INVALID_CHAR: _CHARACTER,
    _T.ERR_INVALID_CHARREF: _CHARACTER,
    _T.ERR_TAG_NAME_MISMATCH: _TAGS,
    _T.ERR_DOCUMENT_END: _AFTER_ROOT,
    _T.ERR_EXTRA_CONTENT: _AFTER_ROOT,
    _T.ERR_DOCUMENT_EMPTY: _BEFORE_ROOT,
    _T.ERR_RESERVED_XML_NAME: _BEFORE_ROOT,
    _T.NS_ERR_UNDEFINED_NAMESPACE: _PREFIX,
    _T.ERR_ATTRIBUTE_REDEFINED: _TWICE,
    _T.NS_ERR_ATTRIBUTE_REDEFINED: _TWICE,
}


def explain(code: int, message: str | None) -> tuple[Text, Text]:
    """What is wrong and what to do, for libxml2's error `code`; its own `message` where we have no better words."""
    known = _BY_CODE.get(code)
    if known:
        return known
    words = (message or "").split(", line ")[0] or f"libxml2 {code}"
    return (
        Text(f"« {words} » (message de l'analyseur)", f"“{words}” (the parser's words)"),
        Text("Corrigez la syntaxe XML à cet endroit.", "Correct the XML syntax there."),
    )
