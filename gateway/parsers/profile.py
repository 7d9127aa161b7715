"""Which of the two French uses a document follows, from its own terms (domain facts 2.3 and 5.6).

The profile is detected, never configured. The signs are asked in the order of the table and the first that shows
decides: what a document says of itself (BT-23) before how it writes its identifiers, strong signs before weak ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.domain.document import Identifier, Party, Profile

#: Cadres de facturation of Chorus Pro: A1…A25.
LEGACY_CADRE: Final = re.compile(r"A(?:[1-9]|1[0-9]|2[0-5])")
REFORM_PROCESSES: Final = frozenset(
    {"B1", "S1", "M1", "B2", "S2", "M2", "S3", "B4", "S4", "M4", "S5", "S6", "B7", "S7", "B8", "S8", "M8", "B9"}
    | {"S9", "M9"}
)
_SIRET: Final = re.compile(r"[0-9]{14}")
_SIREN: Final = re.compile(r"[0-9]{9}")


class Sign(NamedTuple):
    """One sign of a profile; `shows` is asked with BT-23 and the two parties."""

    name: str
    profile: Profile
    shows: Callable[[str, tuple[Party, Party]], bool]


def profile_of(process: str, seller: Party, buyer: Party) -> Profile:
    """The profile that the first sign decides."""
    parties = (seller, buyer)
    return next((sign.profile for sign in SIGNS if sign.shows(process, parties)), Profile.UNDETERMINED)


def _legal(schemes: frozenset[str], form: re.Pattern[str]) -> Callable[[str, tuple[Party, Party]], bool]:
    """BT-30 or BT-47 under one of `schemes`, written as `form`."""
    return lambda _, parties: any(_written(party.legal, schemes, form) for party in parties)


def _listed(schemes: frozenset[str], form: re.Pattern[str]) -> Callable[[str, tuple[Party, Party]], bool]:
    """One of BT-29 or BT-46 under one of `schemes`, written as `form`."""
    return lambda _, parties: any(
        _written(identifier, schemes, form) for party in parties for identifier in party.identifiers
    )


def _written(identifier: Identifier | None, schemes: frozenset[str], form: re.Pattern[str]) -> bool:
    if identifier is None or identifier.scheme not in schemes:
        return False
    return form.fullmatch(identifier.value.replace(" ", "").replace("\u00a0", "")) is not None


def _addressed(_: str, parties: tuple[Party, Party]) -> bool:
    return any(party.endpoint is not None and party.endpoint.scheme == "0225" for party in parties)


_ANY: Final = re.compile(r".+", re.DOTALL)

SIGNS: Final = (
    Sign("BT-23 is a cadre A1…A25", Profile.LEGACY, lambda process, _: LEGACY_CADRE.fullmatch(process) is not None),
    Sign("BT-23 is a reform process B1, S1, …", Profile.REFORM, lambda process, _: process in REFORM_PROCESSES),
    Sign("14-digit SIRET in BT-30 or BT-47", Profile.LEGACY, _legal(frozenset({"1", "0002"}), _SIRET)),
    Sign("French electronic address (0225)", Profile.REFORM, _addressed),
    Sign("9-digit SIREN under 0002 in BT-30 or BT-47", Profile.REFORM, _legal(frozenset({"0002"}), _SIREN)),
    Sign("SIRET under 0009 in BT-29 or BT-46", Profile.REFORM, _listed(frozenset({"0009"}), _SIRET)),
    Sign("service code under 0224 in BT-46", Profile.REFORM, _listed(frozenset({"0224"}), _ANY)),
    Sign("SIRET under 1 or 0002 in BT-29 or BT-46", Profile.LEGACY, _listed(frozenset({"1", "0002"}), _SIRET)),
    Sign("SIRET without a scheme in BT-30 or BT-47", Profile.LEGACY, _legal(frozenset({""}), _SIRET)),
    Sign("SIRET without a scheme in BT-29 or BT-46", Profile.LEGACY, _listed(frozenset({""}), _SIRET)),
)
