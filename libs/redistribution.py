"""How far facts may travel: classes set by the agreements with their sources, and the rights that contracts give.

A fact has a set of classes, written sorted with commas; whoever is to get it needs the right to each. Public needs
none. What has no class, or one not known here, is internal.
"""

from collections.abc import Iterable, Sequence

from spacecom.identity.v1.identity_contracts_pb2 import ROLE_OPERATOR, Entitlements

PUBLIC = "public"
SPACE_TRACK = "space-track"
DISCOS = "discos"
INTERNAL = "internal"
CLASSES = (PUBLIC, SPACE_TRACK, DISCOS, INTERNAL)


def combined(classes: Iterable[str]) -> str:
    """The class of what holds facts of all these."""
    found = {part for one in classes for part in _parts(one)} - {PUBLIC}
    return ",".join(sorted(found)) or PUBLIC


def rights(entitlements: Entitlements, roles: Sequence[int]) -> frozenset[str]:
    """Classes a caller may be given. An operator of the deployment sees all; public is everyone's."""
    if ROLE_OPERATOR in roles:
        return frozenset(CLASSES)
    return frozenset(entitlements.redistribution_classes) | {PUBLIC}


def allows(held: frozenset[str], redistribution: str) -> bool:
    """Whether the rights suffice for a fact of this class."""
    return set(_parts(redistribution)) <= held


def _parts(redistribution: str) -> list[str]:
    return [part if part in CLASSES else INTERNAL for part in redistribution.split(",")]
