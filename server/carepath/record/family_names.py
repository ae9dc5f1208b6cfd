"""Which patients a display names: those whose family name is in it as a whole.

https://hl7.org/fhir/R4/references-definitions.html#Reference.display
"""

import re
from typing import Any

from carepath.record.patients import Patients, as_list


class FamilyNames:
    """The family names of patients by their first word, so that none is tried in vain."""

    def __init__(self, patients: Patients) -> None:
        self._by_word: dict[str, dict[str, set[int]]] = {}
        for patient in patients.surviving:
            for record in patients.records_of(patient):
                for name in filter(None, map(_family, as_list(record.get("name")))):
                    names = self._by_word.setdefault(_first_word(name), {})
                    names.setdefault(name, set()).add(id(patient))

    def in_display(self, display: str) -> frozenset[int]:
        """Return the `id()` of the patients whom a display names."""
        text = display.casefold()
        return frozenset(
            patient
            for word in set(re.findall(r"\w+", text))
            for name, patients in self._by_word.get(word, {}).items()
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
            for patient in patients
        )


def _family(name: Any) -> str:
    """Return the family name or the text of a HumanName, in small letters; empty for none."""
    text = (name.get("family") or name.get("text")) if isinstance(name, dict) else None
    return text.strip().casefold() if isinstance(text, str) else ""


def _first_word(name: str) -> str:
    found = re.search(r"\w+", name)
    return found[0] if found else ""
