"""What one application is asked to do: plan, patient, moment, people and settings.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pickle import PicklingError
from typing import Any, Literal, get_args

from carepath.apply.languages import LANGUAGES, ExpressionLanguage
from carepath.errors import InvalidParameter
from carepath.issues import Issue
from carepath.record import Record
from carepath.resources import Resource

Explain = Literal["none", "brief", "full"]
"""How much of the reasons stands in the resources; the decisions themselves are always there.

`none`: the requests, and which plan they are of.  `brief`: each request says its reason, what that
rests on and its sources, and the narrative is a page.  `full`: also all that the plan says of its
actions, and every decision.
"""
_IS_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*").fullmatch
"""The form of a language tag: https://www.rfc-editor.org/rfc/rfc5646#section-2.1"""
EXPLAIN: tuple[Explain, ...] = get_args(Explain)
Reader = Literal["clinician", "patient"]
"""For whom the narrative is written."""
READERS: tuple[Reader, ...] = get_args(Reader)


@dataclass(frozen=True, slots=True)
class ApplySettings:
    """How the answer is made; the defaults are those of the service.

    `request_status`: status of the requests that have one (`draft`, or `active` where a deployment
    wants orders that are ready to sign).
    `option_intent`: intent `option` for requests that are offered for selection.
    `carry_conditions`: copy start and stop conditions to the result.
    `create_type`: add the action type `create` where the plan gives none.
    `languages`: expression languages by MIME type.
    """

    request_status: str = "draft"
    option_intent: bool = True
    carry_conditions: bool = True
    create_type: bool = False
    languages: Mapping[str, ExpressionLanguage] = field(default_factory=lambda: LANGUAGES)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the languages; raises PicklingError where they are not the usual ones."""
        if self.languages is not LANGUAGES:
            raise PicklingError("settings with expression languages of their own do not pickle")
        given = self.request_status, self.option_intent, self.carry_conditions, self.create_type
        return ApplySettings, given


DEFAULT_SETTINGS = ApplySettings()


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """One application of one definition to one patient; nothing in it is ever changed.

    `definition` is a PlanDefinition or ActivityDefinition, `now` an aware moment.  `subject` may
    stay empty when the record has one patient.  `encounter`, `practitioner`, `organization` are
    reference texts.  The CodeableConcepts (`user_type` and so on) are as the operation defines
    them.  `parameters` holds the values that content reads by name, each a list.  `issues` are what
    was noticed about the data before; they become part of the answer.  `previous_plan` is the
    CarePlan of an earlier application, which the narrative compares with this one; `templates`
    a folder of page templates that come before those that are shipped.  `assumed` holds values of
    facts by name, each a list, that count instead of what the record says; an empty one is unknown.
    Every part of the answer that rests on one says that it is an assumption.
    With `provenance` the answer holds a Provenance, which names the request by `request_id`.
    Without `merge_nested_care_plans` each nested plan keeps a CarePlan of its own.
    """

    definition: Resource
    record: Record
    now: datetime
    subject: str | None = None
    encounter: str | None = None
    practitioner: str | None = None
    organization: str | None = None
    user_type: Resource | None = None
    user_language: Resource | None = None
    user_task_context: Resource | None = None
    setting: Resource | None = None
    setting_context: Resource | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    assumed: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    explain: Explain = "brief"
    narrative: Reader = "clinician"
    templates: str = ""
    previous_plan: Resource | None = None
    merge_nested_care_plans: bool = True
    provenance: bool = False
    request_id: str = ""
    settings: ApplySettings = DEFAULT_SETTINGS

    def patient_record(self) -> Record:
        """Return the record of the subject; raises when there is no such patient or no choice."""
        if self.now.tzinfo is None:
            raise InvalidParameter("now", self.now.isoformat(), "a moment with a time zone")
        if self.subject is not None:
            return self.record.for_subject(self.subject)
        if self.record.subject is None:
            raise InvalidParameter("subject", None, _choice(self.record.subjects))
        return self.record

    @property
    def language(self) -> str:
        """Return the code of `user_language`, an empty string when none is given that is one."""
        for coding in (self.user_language or {}).get("coding") or ():
            if _IS_LANGUAGE(str(coding.get("code", ""))):
                return str(coding["code"])
        return ""


def _choice(patients: tuple[str, ...]) -> str:
    """Say what `subject` may be."""
    if not patients:
        return "a Patient in the data that was sent; there is none"
    return "one of the patients in the data: " + ", ".join(f"`{p}`" for p in patients)
