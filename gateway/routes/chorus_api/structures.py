"""Chorus Pro's internal ids of structures: searches want those, files carry SIRETs. Kept for a day."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.domain.issuer import Issuer
from gateway.routes.chorus_api import diagnosis
from gateway.routes.chorus_api.answers import BusinessError, Fields
from gateway.routes.chorus_api.session import Session
from gateway.routes.protocol import NotAllowed

SERVICE: Final = "structures/v1/rechercher"
NO_RESULT: Final = "TRA_MSG_00.015"
_MOST: Final = 10_000
_AGE_S: Final = 24 * 3600.0


class Structures:
    """Looks ids up; shared by threads. A race costs one call more, never a wrong id."""

    def __init__(self, session: Session, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def id_of(self, issuer: Issuer) -> int:
        """`idStructureCPP` of the issuer. Raises `NotAllowed` where Chorus Pro does not know it."""
        key = (issuer.account, issuer.siret)
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[1] > self._monotonic():
            return known[0]
        found = self.search(issuer, issuer.siret)
        structure_id = found.whole("idStructureCPP") if found else None
        if structure_id is None:
            raise NotAllowed(diagnosis.unknown_structure(issuer.siret))
        with self._lock:
            self._known[key] = (structure_id, self._monotonic() + _AGE_S)
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return structure_id

    def search(self, issuer: Issuer, identifier: str) -> Fields | None:
        """The structure of exactly this identifier, an active one first; None where there is none."""
        structure: dict[str, object] = {"identifiantStructure": identifier}
        if len(identifier) == 14 and identifier.isdigit():
            structure["typeIdentifiantStructure"] = "SIRET"
        asked = {"structure": structure, "parametres": {"pageResultatDemandee": 1, "nbResultatsParPage": 100}}
        try:
            answer = self._session.read(SERVICE, asked, issuer)
        except BusinessError as error:
            if error.prefix == NO_RESULT:
                return None
            raise error.as_unreachable() from error
        same = [one for one in answer.items("listeStructures") if one.text("identifiantStructure", 100) == identifier]
        return next((one for one in same if is_active(one)), same[0] if same else None)


def is_active(structure: Fields) -> bool:
    """Answers say ACTIVE, requests say ACTIF (OpenAPI): both are read."""
    return structure.text("statut", 20).upper() in {"ACTIVE", "ACTIF"}
