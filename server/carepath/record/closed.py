"""Whether a record is still one to plan for: the person lives, and no other record replaced it.

https://hl7.org/fhir/R4/patient-definitions.html#Patient.deceased_x_ and
https://hl7.org/fhir/R4/patient-definitions.html#Patient.link
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from carepath.issues import Issue
from carepath.record.patients import links_of
from carepath.record.remarks import Remark
from carepath.record.when import at, span_of
from carepath.resources import Resource


def closed(
    patient: Resource,
    others: tuple[Resource, ...],
    name: str,
    now: datetime | None,
    survivor: str,
) -> Issue | None:
    """Return why nothing is to be planned for a patient, None when all is well.

    `others` are further records of the same person, `survivor` is the name of a record that was
    sent and stands for this one now.  Without `now` every date of death lies in the past.
    """
    for record in (patient, *others):
        element = _died(record, now)
        if element:
            text = f"Nothing is planned for `{name}`, who has died (`Patient.{element}`)."
            return Issue("warning", "business-rule", text, (f"Patient.{element}",))
    replacement = survivor or _replacement(patient)
    if replacement:
        text = (
            f"Nothing is planned for `{name}`: the record was replaced by {replacement}, which is "
        )
        return Issue("warning", "business-rule", f"{text}the one to use.", ("Patient.link",))
    return None


def remarks(
    patient: Resource, name: str, now: datetime | None, *, is_closed: bool
) -> Iterator[Remark]:
    """Yield what a reader must know about the state of a record that is not closed for it."""
    if is_closed:
        return
    if _dies_later(patient, now):
        text = f"`{name}` has a date of death that lies in the future: it was not taken for true."
        yield Remark("deceased", "warning", "business-rule", name, text)
    elif _is_unknown(patient):
        text = (
            f"It is not known whether `{name}` is alive: `Patient.deceased[x]` has no value that "
        )
        yield Remark("deceased", "warning", "business-rule", name, f"{text}can be read.")
    if patient.get("active") is False:
        text = f"The record `{name}` is marked as not in use (`Patient.active` is false)."
        yield Remark("active", "warning", "business-rule", name, text)


def _died(patient: Resource, now: datetime | None) -> str:
    """Return the element that says a person has died, an empty text when none does.

    A date that cannot be read, or that may lie in the past, says so, too.
    """
    value = patient.get("deceasedBoolean")
    if value is True or (isinstance(value, str) and value.strip().lower() == "true"):
        return "deceasedBoolean"
    if patient.get("deceasedDateTime") is not None and not _dies_later(patient, now):
        return "deceasedDateTime"
    return ""


def _dies_later(patient: Resource, now: datetime | None) -> bool:
    """Tell whether the date of death certainly lies in the future."""
    value = patient.get("deceasedDateTime")
    span = span_of(value) if isinstance(value, str) and now is not None else None
    return span is not None and now is not None and span.is_after(at(now)) is True


def _is_unknown(patient: Resource) -> bool:
    """Tell whether something is said about death, and no value can be read."""
    value = patient.get("deceasedBoolean")
    if value is False or value == "false":
        return False
    return value is not None or any(
        patient.get(name) for name in ("_deceasedBoolean", "_deceasedDateTime")
    )


def _replacement(patient: Resource) -> str:
    """Return how the link `replaced-by` names the surviving record, empty without such a link."""
    for kind, other in links_of(patient):
        if kind == "replaced-by":
            text: Any = other.get("reference")
            return f"`{text}`" if isinstance(text, str) and text else "another record"
    return ""
