"""The project's own cases: one line each, in the chapters of the specification.

`expression ==> result; result`.  A result is `Type:text`, or `true`, `7`, `'text'` for the System
types; nothing after the arrow is the empty collection.  `!evaluation`, `!static` (found with the
type of the input, before evaluation) and `!syntax COLUMN` are errors.  `@ name` is the resource.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from carepath.errors import EvaluationError, ExpressionSyntaxError
from carepath.fhirpath import Environment, Node, parse
from carepath.fhirpath.syntax.lexer import unescape
from carepath.formats.json import decode

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 31, 9, 15, tzinfo=timezone(timedelta(hours=4)))


class Case(NamedTuple):
    """One line."""

    place: str
    resource: str
    expression: str
    expected: str


def lines() -> Iterator[Case]:
    for file in sorted((HERE / "cases").glob("*.txt")):
        resource = ""
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if line.startswith("@ "):
                resource = line[2:]
            elif line and not line.startswith("#"):
                expression, _, expected = line.partition(" ==>")
                yield Case(f"{file.stem}:{number}", resource, expression, expected.strip())


CASES = list(lines())


def resource(name: str) -> Any:
    return decode((HERE / "resources" / f"{name}.json").read_bytes())


class Codes:
    """A terminology of three codes."""

    members: Mapping[str, str] = {
        "http://example.org/vs/mesenchymoma": "8990/3",
        "http://hl7.org/fhir/ValueSet/administrative-gender": "female",
    }

    def member_of(self, coding: Mapping[str, Any], value_set: str) -> bool | None:
        known = self.members.get(value_set)
        return None if known is None else coding.get("code") == known

    def expand(self, value_set: str) -> Mapping[str, Any] | None:
        code = self.members.get(value_set)
        contains = [{"code": code}]
        return {"resourceType": "ValueSet", "expansion": {"contains": contains}} if code else None

    def subsumes(self, system: str, code_a: str, code_b: str) -> str | None:
        return "equivalent" if code_a == code_b else "not-subsumed"

    def validate_code(self, value_set: str, coding: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found = self.member_of(coding, value_set)
        parameter = {"name": "result", "valueBoolean": found}
        return None if found is None else {"resourceType": "Parameters", "parameter": [parameter]}

    def translate(self, concept_map: str, coding: Mapping[str, Any]) -> Mapping[str, Any] | None:
        concept = {"name": "concept", "valueCoding": {"code": f"{coding['code']}-there"}}
        match = {"name": "match", "part": [concept]}
        known = concept_map == "http://example.org/map"
        return {"resourceType": "Parameters", "parameter": [match]} if known else None

    def lookup(self, system: str, code: str) -> Mapping[str, Any] | None:
        parameter = {"name": "display", "valueString": "Mesenchymoma, malignant"}
        return {"resourceType": "Parameters", "parameter": [parameter]}


def environment() -> Environment:
    return Environment(now=NOW, terminology=Codes())


_SHORT = re.compile(r"(?P<boolean>true|false)|(?P<integer>-?\d+)|(?P<string>'.*')")


def wanted(text: str) -> list[tuple[str, str]]:
    """Return type and text of each result."""
    found = []
    for part in text.split("; ") if text else []:
        short = _SHORT.fullmatch(part)
        if short and short.lastgroup == "string":
            found.append(("System.String", unescape(part, part, 0)))
        elif short and short.lastgroup:
            found.append((f"System.{short.lastgroup.title()}", part))
        else:
            type_, _, value = part.partition(":")
            found.append((f"System.{type_}" if type_[0].isupper() else type_, value))
    return found


def shown(node: Node) -> tuple[str, str]:
    value = node.value
    if isinstance(value, bool):
        return node.type, "true" if value else "false"
    return node.type, "" if value is None else str(value)


@pytest.mark.parametrize("case", CASES, ids=[c.place for c in CASES])
def test_case(case: Case) -> None:
    focus = resource(case.resource)
    if case.expected.startswith("!syntax"):
        with pytest.raises(ExpressionSyntaxError) as caught:
            parse(case.expression)
        assert f"!syntax {caught.value.column}" == case.expected
    elif case.expected == "!static":
        with pytest.raises(EvaluationError) as refused:
            parse(case.expression, input_type=focus["resourceType"])
        assert refused.value.at in case.expression
    elif case.expected == "!evaluation":
        with pytest.raises(EvaluationError) as failed:
            parse(case.expression).evaluate(focus, environment())
        assert failed.value.expression == case.expression
    else:
        nodes = parse(case.expression).evaluate_nodes(focus, environment())
        assert [shown(node) for node in nodes] == wanted(case.expected)


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 400
    assert len({(c.resource, c.expression) for c in CASES}) == len(CASES)
