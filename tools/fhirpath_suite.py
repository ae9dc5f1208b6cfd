"""Run a folder in the official FHIRPath test format: one `tests-*.xml`, resources in `input/`.

python tools/fhirpath_suite.py DIR [--list]

Failures are listed by kind; the last line is `N passed, N failed`.  The comparison is strict:
value, type, order (unless a test says otherwise) and count.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from carepath.errors import CarepathError
from carepath.fhirpath import Environment, Node, Quantity, check, parse
from carepath.fhirpath.values.temporal import moment_literal
from carepath.formats.json import decode
from carepath.r4.codes import codings_of
from carepath.r4.model import RESOURCE_TYPES

NOW = datetime(2026, 3, 31, 9, 15, 0, tzinfo=timezone(timedelta(hours=4)))
ERROR_KINDS = frozenset({"syntax", "semantic", "execution", "true"})


class Case(NamedTuple):
    """One `<test>` of the suite."""

    name: str
    expression: str
    input: str
    invalid: str
    outputs: tuple[tuple[str, str], ...]
    predicate: bool
    ordered: bool
    check_order: bool
    check_types: bool
    cuts_seconds: bool
    """Whether a part of a second is dropped from a sum, which the suite for R4 alone wants."""


class Failed(NamedTuple):
    """Why a case failed: a kind to group by and a sentence."""

    kind: str
    detail: str


def cases(folder: Path) -> list[Case]:
    """Return the cases of the folder's `tests-*.xml` files, in their order."""
    files = sorted(folder.glob("tests-*.xml")) or sorted(folder.glob("*.xml"))
    if not files:
        raise SystemExit(f"no tests-*.xml in {folder}")
    return [
        _case(test, file.stem)
        for file in files
        for test in ElementTree.parse(file).getroot().iter()  # noqa: S314 - the folder is the developer's own
        if test.tag.rpartition("}")[2] == "test"
    ]


def _case(test: ElementTree.Element, suite: str) -> Case:
    children = {child.tag.rpartition("}")[2]: child for child in test}
    expression = children["expression"]
    return Case(
        name=test.get("name", ""),
        expression=expression.text or "",
        input=test.get("inputfile", ""),
        invalid=expression.get("invalid") or test.get("invalid") or "",
        outputs=tuple(
            (child.get("type", ""), child.text or "")
            for child in test
            if child.tag.rpartition("}")[2] == "output"
        ),
        predicate=test.get("predicate") == "true",
        ordered=test.get("ordered") != "false",
        check_order=test.get("checkOrderedFunctions") == "true" or test.get("mode") == "strict",
        check_types=test.get("skipStaticCheck") != "true" and test.get("mode") != "lenient",
        cuts_seconds=suite == "tests-fhir-r4",
    )


MAPS = {
    "http://hl7.org/fhir/ConceptMap/cm-address-use-v2": {
        "home": "H",
        "work": "O",
        "temp": "C",
        "old": "BA",
    }
}
"""The ConceptMap of R4 that a test asks for: from codes to those of the table 0190 of v2."""


class RequiredCodes:
    """A terminology of the value sets that R4 binds codes to, for tests that ask for one."""

    def member_of(self, coding: Mapping[str, Any], value_set: str) -> bool | None:
        """Tell whether a code is in a value set."""
        codings = codings_of(value_set.partition("|")[0])
        if codings is None:
            return None
        system = coding.get("system")
        return any(coding.get("code") in c for s, c in codings.items() if system in (None, s))

    def expand(self, value_set: str) -> Mapping[str, Any] | None:
        """Return the value set with its codes."""
        codings = codings_of(value_set.partition("|")[0])
        if codings is None:
            return None
        contains = [{"system": s, "code": c} for s in codings for c in sorted(codings[s])]
        expansion = {"total": len(contains), "contains": contains}
        return {"resourceType": "ValueSet", "url": value_set, "expansion": expansion}

    def subsumes(self, system: str, code_a: str, code_b: str) -> str | None:
        """A code subsumes itself; of others nothing is known."""
        return "equivalent" if code_a == code_b else None

    def validate_code(self, value_set: str, coding: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the Parameters of `$validate-code`."""
        found = self.member_of(coding, value_set)
        parameter = [{"name": "result", "valueBoolean": found}]
        return None if found is None else {"resourceType": "Parameters", "parameter": parameter}

    def translate(self, concept_map: str, coding: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the Parameters of `$translate`."""
        codes = MAPS.get(concept_map)
        found = codes.get(str(coding.get("code"))) if codes is not None else None
        concept = {"name": "concept", "valueCoding": {"code": found}}
        matches = [{"name": "match", "part": [concept]}] if found is not None else []
        result = {"name": "result", "valueBoolean": found is not None}
        parameters = {"resourceType": "Parameters", "parameter": [result, *matches]}
        return None if codes is None else parameters

    def lookup(self, system: str, code: str) -> Mapping[str, Any] | None:
        """Return nothing: the tables have no displays."""
        return None


class Inputs:
    """The resources beside the tests, each read once; XML is read as the JSON of the same name."""

    def __init__(self, folder: Path) -> None:
        self.folders = (folder / "input", folder)
        self.read: dict[str, Any] = {}

    def of(self, name: str) -> Any:
        """Return the resource of a file name, an empty collection for a test without one."""
        if not name:
            return []
        if name not in self.read:
            self.read[name] = self._load(name)
        return self.read[name]

    def _load(self, name: str) -> Any:
        stem = name.removesuffix(".xml").removesuffix(".json")
        for folder in self.folders:
            file = folder / f"{stem}.json"
            if file.exists():
                return decode(file.read_bytes())
        for folder in self.folders:
            file = folder / f"{stem}.xml"
            if file.exists():
                return import_module("carepath.formats.xml").decode(file.read_bytes())
        raise FileNotFoundError(name)


def run(case: Case, inputs: Inputs) -> Failed | None:
    """Return why the case fails, or None when it passes."""
    try:
        resource = inputs.of(case.input)
    except FileNotFoundError:
        return Failed("input missing", case.input)
    except CarepathError as error:
        return Failed("input unreadable", f"{case.input}: {error}")
    try:
        nodes = _evaluated(case, resource)
    except CarepathError as error:
        if case.invalid in ERROR_KINDS:
            return None
        return Failed("unexpected error", str(error).replace("\n", " "))
    if case.invalid in ERROR_KINDS:
        return Failed(f"no {case.invalid} error", _shown(nodes))
    if case.predicate:
        nodes = [Node(_as_predicate(nodes), "System.Boolean")]
    return _compared(case, nodes)


def _evaluated(case: Case, resource: Any) -> list[Node]:
    expression = parse(case.expression)
    if isinstance(resource, dict) and case.check_types and _is_r4(resource):
        check(expression, resource["resourceType"], strict_order=case.check_order)
    environment = Environment(now=NOW, terminology=RequiredCodes(), cuts_seconds=case.cuts_seconds)
    return expression.evaluate_nodes(resource, environment)


def _is_r4(resource: Mapping[str, Any]) -> bool:
    """Tell whether the type of a resource is one of R4; others have no static types here."""
    return resource.get("resourceType") in RESOURCE_TYPES


def _as_predicate(nodes: list[Node]) -> bool:
    if len(nodes) == 1 and nodes[0].type in ("System.Boolean", "boolean"):
        return bool(nodes[0].value)
    return bool(nodes)


def _compared(case: Case, nodes: list[Node]) -> Failed | None:
    if len(nodes) != len(case.outputs):
        return Failed("count", f"expected {_expected(case)}, found {_shown(nodes)}")
    rest = list(nodes)
    for wanted in case.outputs:
        candidates = rest[:1] if case.ordered else rest
        match = next((n for n in candidates if _same_type(n, wanted) and _same(n, wanted)), None)
        if match is None:
            kind = "type" if any(_same(n, wanted) for n in candidates) else "value"
            return Failed(kind, f"expected {_expected(case)}, found {_shown(nodes)}")
        rest.remove(match)
    return None


def _same_type(node: Node, wanted: tuple[str, str]) -> bool:
    """Compare the names of types; `integer` stands for FHIR.integer and System.Integer.

    A literal may say its type itself: `@2014-01` is a Date, whatever stands beside it.
    """
    expected = wanted[0]
    if not expected:
        return True
    name = node.type.removeprefix("System.")
    if wanted[1].startswith("@") and name == moment_literal(wanted[1][1:])[1]:
        return True
    if "System." in expected or "FHIR." in expected:
        return expected in (node.type, f"FHIR.{node.type}")
    if node.type.startswith("System.") and name != "Quantity":
        name = name[0].lower() + name[1:]
    return name == expected


def _same(node: Node, wanted: tuple[str, str]) -> bool:
    value, text = node.value, wanted[1]
    if isinstance(value, bool):
        return text.strip() == ("true" if value else "false")
    if isinstance(value, int | Decimal):
        return _same_number(value, text)
    if isinstance(value, Quantity | dict):
        return _same_quantity(node, text)
    return str(value) == (text[1:].strip("T") if text[:1] == "@" else text)


def _same_number(value: int | Decimal, text: str) -> bool:
    try:
        return Decimal(text) == Decimal(value)
    except InvalidOperation:
        return False


def _same_quantity(node: Node, text: str) -> bool:
    try:
        return parse(f"$this = {text}").evaluate(node, Environment(now=NOW)) == [True]
    except CarepathError:
        return False


def _expected(case: Case) -> str:
    return ", ".join(f"{value} ({type_ or 'any'})" for type_, value in case.outputs) or "nothing"


def _shown(nodes: list[Node]) -> str:
    return ", ".join(f"{str(n.value)[:60]} ({n.type})" for n in nodes) or "nothing"


def failures(folder: Path) -> tuple[int, dict[str, list[tuple[Case, Failed]]]]:
    """Run everything; return how many passed, and the failures by kind."""
    inputs, passed = Inputs(folder), 0
    by_kind: dict[str, list[tuple[Case, Failed]]] = defaultdict(list)
    for case in cases(folder):
        failed = run(case, inputs)
        if failed is None:
            passed += 1
        else:
            by_kind[failed.kind].append((case, failed))
    return passed, by_kind


def report(by_kind: dict[str, list[tuple[Case, Failed]]]) -> Iterator[str]:
    """Yield the lines that list the failures by kind."""
    for kind, found in sorted(by_kind.items()):
        yield f"{kind}: {len(found)}"
        for case, failed in found:
            yield f"  {case.name}: {' '.join(case.expression.split())[:160]}"
            yield f"    {failed.detail[:300]}"


def main() -> int:
    """Run the folder named on the command line."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    passed, by_kind = failures(Path(sys.argv[1]))
    for line in report(by_kind):
        print(line)
    failed = sum(len(found) for found in by_kind.values())
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
