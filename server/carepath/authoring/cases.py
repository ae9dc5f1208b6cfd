"""Case files: one patient, and what should follow.

A case is a readable JSON or YAML file in `tests/cases/<pathway>/`;
`fhir_profiles/schemas/case.schema.json` says what may stand in it and docs/authoring.md explains
it.  Content authors run cases with `carepath test`; the test suite, the coverage report and the
mutation check use the same functions.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from carepath.apply import Applied, ApplyRequest, Decision, apply_plan
from carepath.errors import DefinitionNotFound, InputError, InvalidContent, MalformedInput
from carepath.formats.files import ENDINGS, decode_file
from carepath.knowledge import Knowledge
from carepath.record import Record
from carepath.resources import Resource
from carepath.validation import case_problems, check_structure


@dataclass(frozen=True)
class Case:
    """One case file: `given` is a Bundle or a list of resources, `expect` what must come out."""

    path: Path
    about: str
    now: datetime
    pathway: str
    parameters: Mapping[str, Any]
    given: Any
    expect: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return `<pathway folder>/<file>` without the suffix."""
        return f"{self.path.parent.name}/{self.path.stem}"


def read_case(path: Path) -> Case:
    """Read a case file; raises InvalidContent naming file and element when it is none."""
    source = f"{path.parent.name}/{path.name}"
    try:
        content = decode_file(path.name, path.read_bytes())
    except MalformedInput as error:
        raise InvalidContent(source, error.where or "file", error.reason) from error
    except OSError as error:
        raise InvalidContent(source, "file", f"it cannot be read ({error.strerror})") from error
    problems = case_problems(content)
    if problems:
        element, reason = problems[0]
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        raise InvalidContent(source, element, reason + more)
    return Case(
        path=path,
        about=content["about"],
        now=_moment(content["now"], source),
        pathway=content.get("pathway", path.parent.name),
        parameters=content.get("parameters", {}),
        given=content["given"],
        expect=content["expect"],
    )


def _moment(text: str, source: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidContent(source, "now", f"there is no such moment as `{text}`") from error


def read_cases(folder: Path) -> tuple[Case, ...]:
    """Read every case file below a folder, in the order of their names."""
    return tuple(read_case(path) for path in sorted(folder.rglob("*")) if path.suffix in ENDINGS)


def case_files(folder: Path) -> Iterator[Path]:
    """Yield the case files of a folder of content: those in folders named `cases`, in order."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if (
            path.suffix in ENDINGS
            and "cases" in parts[:-1]
            and not any(part.startswith(".") for part in parts)
        ):
            yield path


def request_of(case: Case, definition: Resource) -> ApplyRequest:
    """Return the application of some definition to the case's patient, at its moment."""
    parameters = {
        name: value if isinstance(value, list) else [value]
        for name, value in case.parameters.items()
    }
    return ApplyRequest(
        definition=definition,
        record=Record.of(case.given),
        now=case.now,
        parameters=parameters,
    )


def run_case(case: Case, knowledge: Knowledge) -> Applied:
    """Apply the case's pathway to its patient.

    Raises InvalidContent, naming the case, for a plan that there is not and data without a patient.
    """
    source = f"{case.path.parent.name}/{case.path.name}"
    try:
        plan = knowledge.plan(case.pathway)
    except DefinitionNotFound as error:
        reason = (
            f"there is no PlanDefinition `{case.pathway}`; name one by id or url, or give its id "
            "to the folder of the case"
        )
        raise InvalidContent(source, "pathway", reason) from error
    try:
        return apply_plan(request_of(case, plan), knowledge)
    except InputError as error:
        raise InvalidContent(source, "given", str(error).rstrip(".")) from error


def odd_data(case: Case) -> Iterator[str]:
    """Yield a sentence for each fault of the patient's resources, which no engine need read.

    A case may be about odd data, so this is for whoever wants to be told.
    """
    given = case.given if isinstance(case.given, list) else [case.given]
    for index, resource in enumerate(given):
        place = f"given[{index}]" if isinstance(case.given, list) else "given"
        for issue in check_structure(resource):
            yield f"{case.name}: {place}: {issue.diagnostics}"


def differences(case: Case, applied: Applied) -> list[str]:
    """Return what is not as expected, a sentence each; nothing when the case holds."""
    return [
        text for part, expected in case.expect.items() for text in _PARTS[part](expected, applied)
    ]


def proposed(applied: Applied) -> list[str]:
    """Return the ids of the ActivityDefinitions proposed, in plan order.

    Where several actions propose the same one, the id of the action follows: `order-x#action`.
    """
    made = [(_tail(d.definition), d.id) for d in applied.decisions if d.request and d.definition]
    times = Counter(name for name, _ in made)
    return [f"{name}#{action}" if times[name] > 1 else name for name, action in made]


def undetermined(applied: Applied) -> dict[str, list[str]]:
    """Return the missing facts of each undetermined decision, by its short path.

    What stands below an undetermined decision is left out: it waits for the same.
    """
    waiting: dict[str, list[str]] = {}
    above = "/"
    for decision in applied.decisions:
        if decision.outcome == "undetermined" and not decision.path.startswith(above):
            above = f"{decision.path}/"
            waiting[_short(decision.path)] = sorted(decision.missing)
    return waiting


def _tail(canonical: str) -> str:
    """Return the id at the end of a canonical."""
    return canonical.partition("|")[0].rpartition("/")[2]


def _short(path: str) -> str:
    """Return the last two parts of a decision's path, enough to find it in the plans."""
    return "/".join(path.split("/")[-2:])


def _compare_proposed(expected: Sequence[str], applied: Applied) -> Iterator[str]:
    """Compare the whole list of proposals."""
    actual = proposed(applied)
    for name in expected:
        if name not in actual:
            yield f"`{name}` should be proposed and is not"
    for name in actual:
        if name not in expected:
            yield f"`{name}` is proposed and should not be"
    if sorted(expected) == sorted(actual) and list(expected) != actual:
        yield f"the proposals come as {actual}"
    elif set(expected) == set(actual) and len(expected) != len(actual):
        yield f"the proposals are {actual}"


def _compare_undetermined(expected: Mapping[str, Sequence[str]], applied: Applied) -> Iterator[str]:
    """Compare the topmost undetermined decisions with their missing facts."""
    actual = undetermined(applied)
    for path in sorted({*expected, *actual}):
        wanted = sorted(expected[path]) if path in expected else None
        if wanted != actual.get(path):
            yield f"`{path}`: expected missing {wanted}, got {actual.get(path)}"


def _compare_decisions(expected: Mapping[str, str], applied: Applied) -> Iterator[str]:
    """Compare chosen decisions, named by action id, end of path, or id of the definition.

    Where several decisions have the name, as when two plans propose the same activity, the
    strongest outcome counts: met, then undetermined, then not-met; `absent` when there is none.
    """
    for name, outcome in expected.items():
        found = {decision.outcome for decision in applied.decisions if _is_named(decision, name)}
        actual = next((o for o in ("met", "undetermined", "not-met") if o in found), "absent")
        if actual != outcome:
            yield f"`{name}` should be {outcome}, got {actual}"


def _is_named(decision: Decision, name: str) -> bool:
    """Tell whether a case's name for a decision means this one."""
    if decision.id == name or decision.path.endswith(f"/{name}") or decision.path == name:
        return True
    return bool(decision.definition) and _tail(decision.definition or "") == name


def _compare_facts(expected: Mapping[str, Any], applied: Applied) -> Iterator[str]:
    """Compare the values of facts that some decision has read."""
    actual = {
        fact["name"]: fact["value"] for d in applied.decisions for fact in d.as_json()["facts"]
    }
    for name, value in expected.items():
        if actual.get(name) != value:
            yield f"the fact `{name}` should be {value!r}, got {actual.get(name)!r}"


def _compare_issues(expected: Sequence[str], applied: Applied) -> Iterator[str]:
    """Compare issues other than those of undetermined decisions, by words they hold."""
    texts = [issue.diagnostics for issue in applied.issues]
    for words in expected:
        if not any(words in text for text in texts):
            yield f"no issue says `{words}`"


def _compare_requests(expected: Sequence[Mapping[str, Any]], applied: Applied) -> Iterator[str]:
    """Each expected request must agree, in the elements named, with one request of the answer."""
    entries = [entry["resource"] for entry in applied.bundle()["entry"]]
    for wanted in expected:
        if not any(_agrees(wanted, resource) for resource in entries):
            yield f"no request agrees with {dict(wanted)}"


def _agrees(wanted: Any, actual: Any) -> bool:
    """Tell whether everything in `wanted` stands in `actual`."""
    if isinstance(wanted, Mapping):
        return isinstance(actual, Mapping) and all(
            key in actual and _agrees(value, actual[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(actual, list) and all(
            any(_agrees(item, other) for other in actual) for item in wanted
        )
    return bool(wanted == actual)


_PARTS: dict[str, Callable[[Any, Applied], Iterator[str]]] = {
    "proposed": _compare_proposed,
    "undetermined": _compare_undetermined,
    "decisions": _compare_decisions,
    "facts": _compare_facts,
    "issues": _compare_issues,
    "requests": _compare_requests,
}
