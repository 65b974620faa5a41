"""Questions to the catalogue of objects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.postgres import Connection
from services.ingest import codec_objects
from services.ingest.objects import Known


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    catalogue_number: int
    element_set_count: int
    last_epoch_jd: float
    last_epoch_jd_fraction: float
    perigee_altitude_km: float
    apogee_altitude_km: float
    inclination_deg: float
    elements_class: str
    version: int
    body: bytes | None
    decay: bytes | None
    decay_class: str
    retired: bool


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and what the caller may be shown: `rights` are classes, no `numbers` means all.

    A field to which there is no right is not searched, so that an answer tells nothing of it.
    """

    rights: frozenset[str]
    numbers: tuple[int, ...] = ()
    text: str = ""
    owner: str = ""
    type: int = 0
    perigee_below_km: float = 0.0
    include_gone: bool = True


_COLUMNS = """catalogue_number, element_set_count, last_epoch_jd, last_epoch_jd_fraction, perigee_altitude_km,
    apogee_altitude_km, inclination_deg, elements_class, version, body, decay, decay_class, retired"""
_SHOWN = """(shown_classes && $1::text[] OR element_set_count > 0 AND elements_class = ANY ($1)
    OR decay IS NOT NULL AND decay_class = ANY ($1))"""
_TEXT = """(name_class = ANY ($1) AND name_text LIKE {0} OR designator_class = ANY ($1) AND designator_text LIKE {0}
    OR catalogue_number::text LIKE {0})"""


async def objects_after(conn: Connection, number: int, limit: int, search: Search) -> list[CatalogueRow]:
    """By rising catalogue number."""
    wanted: list[tuple[str, object]] = [("catalogue_number > {0}", number)]
    if search.numbers:
        wanted.append(("catalogue_number = ANY ({0}::int[])", list(search.numbers)))
    if search.text:
        wanted.append((_TEXT, f"%{_escaped(search.text.lower())}%"))
    if search.owner:
        wanted.append(("(owner_class = ANY ($1) AND owner = {0})", search.owner))
    if search.type:
        wanted.append(("(type_class = ANY ($1) AND type = {0})", search.type))
    if search.perigee_below_km:
        perigee = "(element_set_count > 0 AND elements_class = ANY ($1) AND perigee_altitude_km <= {0})"
        wanted.append((perigee, search.perigee_below_km))
    conditions = [_SHOWN, *(text.format(f"${place}") for place, (text, _) in enumerate(wanted, 2))]
    if not search.include_gone:
        conditions.append("NOT retired AND NOT (decay IS NOT NULL AND decay_class = ANY ($1))")
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM objects WHERE {' AND '.join(conditions)} ORDER BY catalogue_number LIMIT {limit:d}",
        sorted(search.rights),
        *(value for _, value in wanted),
    )
    return [CatalogueRow(**row) for row in rows]


async def object_by_number(conn: Connection, number: int, search: Search) -> CatalogueRow | None:
    if search.numbers and number not in search.numbers:
        return None
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM objects WHERE {_SHOWN} AND catalogue_number = $2", sorted(search.rights), number
    )
    return CatalogueRow(**row) if row else None


async def known(conn: Connection, numbers: Sequence[int]) -> dict[int, Known]:
    rows = await conn.fetch(
        "SELECT catalogue_number, version, body, decay, retired FROM objects WHERE catalogue_number = ANY ($1)", numbers
    )
    return {
        row["catalogue_number"]: codec_objects.known_of_row(
            row["version"], row["body"], row["decay"], retired=row["retired"]
        )
        for row in rows
    }


async def numbers_of(conn: Connection, designators: Collection[bytes]) -> dict[bytes, int]:
    """Of designators that are those of one object each."""
    if not designators:
        return {}
    rows = await conn.fetch(
        """SELECT international_designator AS designator, min(catalogue_number) AS number FROM objects
           WHERE international_designator = ANY ($1::bytea[]) AND international_designator <> '' AND NOT retired
           GROUP BY international_designator HAVING count(*) = 1""",
        list(designators),
    )
    return {row["designator"]: row["number"] for row in rows}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\0", "")
