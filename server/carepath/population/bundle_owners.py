"""Which patients a Bundle is about, told by a look at its entries where that is enough.

https://hl7.org/fhir/R4/bundle.html
"""

import msgspec

from carepath.errors import InvalidResource
from carepath.formats.json import decode
from carepath.population.ownership import PATIENT, Head
from carepath.validation import readable, record_of


class Entry(msgspec.Struct):
    """What of an entry tells whose the Bundle is."""

    fullUrl: str = ""  # noqa: N815 - the name in FHIR
    resource: Head | None = None


class Bundle(msgspec.Struct):
    """What of a Bundle tells whose it is."""

    type: str = ""
    entry: list[Entry] = msgspec.field(default_factory=list)


_decoder = msgspec.json.Decoder(Bundle)
_PLAIN = ("collection", "transaction", "batch", "document", "message")


def bundle_owners(data: bytes, place: str) -> tuple[str, ...]:
    """Return the names of the patients in a Bundle, none when there is no Patient.

    The only patient of a Bundle may have neither id nor address: `place` is the name then.  Raises
    MalformedInput and InvalidResource for a Bundle that cannot be read.
    """
    try:
        bundle = _decoder.decode(data)
    except msgspec.MsgspecError:
        return _owners_read(data, place)
    entries = [entry for entry in bundle.entry if entry.resource is not None]
    kinds = [entry.resource.resourceType for entry in entries if entry.resource is not None]
    if bundle.type not in _PLAIN or kinds.count("Patient") != 1 or "Bundle" in kinds:
        return _owners_read(data, place)
    only = entries[kinds.index("Patient")]
    id_ = only.resource.id if only.resource is not None else ""
    return (PATIENT + id_ if id_ else only.fullUrl or place,)


def _owners_read(data: bytes, place: str) -> tuple[str, ...]:
    """Return the same by the rules of the record, which are those of the application."""
    found = readable(decode(data))
    if found.refusals:
        raise InvalidResource(found.refusals)
    record = record_of(found)
    names = tuple(dict.fromkeys(record.subjects))
    if record.subject is not None:
        return (names[0] if names and names[0] else place,)
    return names
