"""The public cases for R4 validators: how many bad files are found, and nothing said of good ones.

They are those of the reference validator.  What it finds with SNOMED CT, with the displays of other
terminologies, or because it takes no extension that it does not know, is not found here.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from carepath.errors import MalformedInput
from carepath.formats import json as json_codec
from carepath.formats import xml as xml_codec
from carepath.knowledge import Knowledge
from carepath.validation import validate

from ..suites import VALIDATOR_R4, needs

pytestmark = needs(VALIDATOR_R4)

FLOOR = 93
"""Of 129 bad files that need no definitions but R4's own."""
# The reference was told to let these pass: the form of a reference and of a contained id.
LET_PASS = {"contained-resource-bad-id-ignore", "list-bad-reference"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def found(name: str) -> bool:
    """Tell whether something is wrong with a file."""
    data = (VALIDATOR_R4 / "files" / name).read_bytes()
    try:
        resource: Any = (xml_codec if name.endswith(".xml") else json_codec).decode(data)
    except MalformedInput:
        return True
    issues = validate(resource, definitions=Knowledge.shipped(), now=NOW)
    return any(issue.is_error for issue in issues)


def cases(*, bad: bool) -> Iterator[tuple[str, str]]:
    """Yield name and file of the cases that need nothing, or that are good whatever they need."""
    expected = json.loads((VALIDATOR_R4 / "expected.json").read_text("utf-8"))
    for name, told in expected.items():
        if told["bad"] is bad and (told["plain"] or not bad):
            yield name, told["file"]


def test_bad_files_are_found() -> None:
    bad = dict(cases(bad=True))
    missed = [name for name, file in bad.items() if not found(file)]
    told = f"{len(bad) - len(missed)} of {len(bad)} bad files are found"
    sys.stdout.write(f"{told}; not: {', '.join(missed)}\n")
    assert len(bad) - len(missed) >= FLOOR


def test_good_files_are_let_pass() -> None:
    assert {name for name, file in cases(bad=False) if found(file)} == LET_PASS
