"""Records that replace each other: their lines are one person's, whichever of them they name.

https://hl7.org/fhir/R4/patient.html#links
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from carepath.population.ownership import PATIENT, Reference, patient_of

_REPLACES, _REPLACED = "replaces", "replaced-by"


class _Link(msgspec.Struct):
    other: Reference = msgspec.field(default_factory=Reference)
    type: str = ""


class _Linked(msgspec.Struct):
    id: str = ""
    link: list[_Link] = msgspec.field(default_factory=list)


_decoder = msgspec.json.Decoder(_Linked)


def replacements(data: bytes, base: str) -> Iterator[tuple[str, str]]:
    """Yield which record is replaced by which, as a Patient says it: the old name and the new."""
    if b'"link"' not in data:
        return
    try:
        found = _decoder.decode(data)
    except msgspec.MsgspecError:
        return
    own = PATIENT + found.id
    for link in found.link:
        other = patient_of(link.other.reference, base)
        if other and link.type == _REPLACED:
            yield own, other
        elif other and link.type == _REPLACES:
            yield other, own


def homes(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return for each replaced record the name under which its lines are kept.

    All records that lead to each other have one: that of a record which none replaces, the first by
    name where there are several or none.
    """
    known = sorted(set(pairs))
    groups: dict[str, set[str]] = {}
    for old, new in known:
        group = groups.get(old, {old}) | groups.get(new, {new})
        for name in group:
            groups[name] = group
    replaced = {old for old, _ in known}
    found: dict[str, str] = {}
    for name, group in groups.items():
        home = min(group - replaced or group)
        if name != home:
            found[name] = home
    return found
