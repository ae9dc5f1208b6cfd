"""Where an answer comes from: the plan, all that was known beside it, the data, the software.

https://hl7.org/fhir/R4/provenance.html

Nothing in it is made up at random: the same request at the same moment has the same Provenance.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import version

from carepath.apply.compile.extensions import OWN
from carepath.apply.run.session import Session
from carepath.formats.json import canonical
from carepath.resources import Resource, canonical_of

ID = "provenance"
"""The id of the Provenance inside of an answer."""
HASH = f"{OWN}content-hash"
_NAMES = "https://carepath.example/fhir"
_PART = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_SPACES = re.compile(r"\s+")


def provenance(session: Session, made: Iterable[str]) -> list[Resource]:
    """Return where an answer comes from, nothing where that was not asked for.

    `made` are the ids of what was made, '' for the resource that contains the rest.
    """
    if not session.request.provenance:
        return []
    software = {"system": f"{_NAMES}/software-version", "value": _release()}
    who = {"type": "Device", "identifier": software, "display": f"Carepath {_release()}"}
    assembler = {"coding": [{"system": _PART, "code": "assembler", "display": "Assembler"}]}
    return [
        {
            "resourceType": "Provenance",
            "id": ID,
            "target": [{"reference": f"#{id_}"} for id_ in made],
            "recorded": session.now.isoformat(),
            "agent": [{"type": assembler, "who": who}],
            "entity": list(_entities(session)),
        }
    ]


def content_hash(resource: Resource) -> str:
    """Return the SHA-256 of a resource as canonical JSON: of what it says, not of its layout.

    https://hl7.org/fhir/R4/json.html#canonical
    """
    return f"sha-256:{sha256(canonical(_with_single_spaces(resource))).hexdigest()}"


def _entities(session: Session) -> Iterator[Resource]:
    """Yield the plan, the definitions behind it, the data, and the request."""
    plan, record = session.request.definition, session.record
    yield _entity("derivation", {"type": "PlanDefinition", **_name(plan)}, plan)
    known = {"system": f"{_NAMES}/content-fingerprint", "value": session.knowledge.fingerprint}
    yield _entity("derivation", {"identifier": known, "display": "All definitions"})
    for resource in record.sent():
        reference = record.reference_to(resource)
        what = {"reference": reference} if reference else {"display": "sent without a name"}
        yield _entity("source", {**what, "type": resource["resourceType"]}, resource)
    if session.request.request_id:
        asked = {"system": f"{_NAMES}/request-id", "value": session.request.request_id}
        yield _entity("source", {"identifier": asked, "display": "The request"})


def _name(plan: Resource) -> Resource:
    """Return the canonical of a plan; one without a URL, which a request brought, has none."""
    name = canonical_of(plan)
    is_canonical = isinstance(plan.get("url"), str)
    identifier = {"system": "urn:ietf:rfc:3986", "value": name}
    return {"identifier": identifier} if is_canonical else {"display": name}


def _entity(role: str, what: Resource, hashed: Resource | None = None) -> Resource:
    """Return an entity; the hash of what it names stands at the reference to it."""
    if hashed is not None:
        extension = [{"url": HASH, "valueString": content_hash(hashed)}]
        what = {"extension": extension, **what}
    return {"role": role, "what": what}


def _with_single_spaces(resource: Resource) -> Resource:
    """Return a resource with single spaces in its narratives, those of contained ones included."""
    made = dict(resource)
    text, inside = made.get("text"), made.get("contained")
    if isinstance(text, dict) and isinstance(text.get("div"), str):
        made["text"] = {**text, "div": _SPACES.sub(" ", text["div"])}
    if isinstance(inside, list):
        made["contained"] = [_with_single_spaces(r) if isinstance(r, dict) else r for r in inside]
    return made


@cache
def _release() -> str:
    return version("carepath")
