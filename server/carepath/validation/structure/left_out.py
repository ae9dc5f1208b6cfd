"""A resource of the data that cannot be read safely: what is known of it, and what is told.

https://hl7.org/fhir/R4/operationoutcome.html
"""

import re
from dataclasses import dataclass

from carepath.issues import Issue, Severity
from carepath.resources import Resource
from carepath.validation.structure.locations import resource_type_of

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A resource of the data that cannot be read safely; nothing in it may be taken for a fact."""

    resource: Resource
    """As it was sent; even its type, its id and its subject may be of any form."""
    full_url: str
    code: str
    reason: str
    """What is wrong with it, as half a sentence."""
    expression: tuple[str, ...]
    """The FHIRPaths, in what was sent, of what is wrong."""
    place: str
    """The FHIRPath of the resource itself."""
    remainder: Resource
    """What of it can be read.  That of a Patient stays in the content, else the data of this
    person could be taken for those of the only other one."""

    @property
    def resource_type(self) -> str:
        """Return its type, empty when that is not known: then it may be about anything."""
        return resource_type_of(self.resource)

    @property
    def is_patient(self) -> bool:
        """Tell whether it is a Patient."""
        return self.resource_type == "Patient"

    @property
    def name(self) -> str:
        """Return `Type/id` where it has both, else where it stands."""
        id_ = self.resource.get("id")
        if self.resource_type and isinstance(id_, str) and _ID.fullmatch(id_):
            return f"{self.resource_type}/{id_}"
        return self.place

    @property
    def issue(self) -> Issue:
        """Return the remark that goes into the answer for all the rest."""
        return self._told("warning", "was not used")

    @property
    def refusal(self) -> Issue:
        """Return the error for an answer that cannot do without this resource."""
        return self._told("error", "cannot be read")

    def _told(self, severity: Severity, what: str) -> Issue:
        sentence = f"`{self.name}` {what}: {self.reason}."
        return Issue(severity, self.code, sentence, self.expression)
