"""Case files of records: a base, what differs from it, and what may be read from the result.

README.md beside this file tells the form.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SERVER = "https://hospital.example/fhir"
"""Where the full URLs of the entries lead."""

Resource = dict[str, Any]


@dataclass(frozen=True)
class RecordCase:
    """One record: the body of a call, its moment and parameters, and what is expected."""

    kind: str
    case: str
    now: datetime
    body: Resource
    expect: Mapping[str, Any]
    parameters: Mapping[str, list[Any]]
    is_control: bool = False
    is_unclear: bool = False

    @property
    def name(self) -> str:
        """Return the kind and the sentence of the case."""
        return f"{self.kind} {self.case}"


def read_record_cases(folder: Path = HERE / "cases") -> tuple[RecordCase, ...]:
    """Read every case of every file in a folder, in the order of their names.

    Raises KeyError for a case that lacks a part or names something that its base does not have.
    """
    bases = {path.stem: _content(path) for path in sorted((HERE / "bases").glob("*.json"))}
    return tuple(
        _case(content, case, bases)
        for path in sorted(folder.glob("*.json"))
        for content in [_content(path)]
        for case in content["cases"]
    )


def _content(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _case(
    content: Mapping[str, Any], case: Mapping[str, Any], bases: Mapping[str, Resource]
) -> RecordCase:
    parameters = case.get("parameters", {})
    return RecordCase(
        kind=content["kind"],
        case=case["case"],
        now=datetime.fromisoformat(case.get("now") or content["now"]),
        body=_body(case, bases),
        expect=case["expect"],
        parameters={n: v if isinstance(v, list) else [v] for n, v in parameters.items()},
        is_control=case.get("control", False),
        is_unclear=case.get("unclear", False),
    )


def _body(case: Mapping[str, Any], bases: Mapping[str, Resource]) -> Resource:
    """Return what is sent: the input as it stands, or the changed base as a Bundle."""
    body: Resource = case["input"] if "input" in case else _bundle(case, bases)
    if "subject" not in case:
        return body
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "subject", "valueString": case["subject"]},
            {"name": "data", "resource": body},
        ],
    }


def _bundle(case: Mapping[str, Any], bases: Mapping[str, Resource]) -> Resource:
    resources = {} if case["base"] == "none" else _by_name(bases[case["base"]])
    change = case.get("change", {})
    for name in change.get("remove", ()):
        del resources[name]
    for name, elements in change.get("replace", {}).items():
        _replace(resources[name], elements)
    head = {"resourceType": "Bundle", "type": "collection", **change.get("bundle", {})}
    entries = [
        *map(_entry, change.get("first", ())),
        *(_entry(part) | _http(part, head["type"]) for part in resources.values()),
        *map(_entry, change.get("add", ())),
    ]
    return {**head, "entry": entries}


def _by_name(base: Resource) -> dict[str, Resource]:
    """Return copies of the resources of a base by type and id; what they hold is shared."""
    return {f"{r['resourceType']}/{r['id']}": r for r in map(dict, base["resources"])}


def _replace(resource: Resource, elements: Mapping[str, Any]) -> None:
    """Give a resource these elements as they stand; null takes one away."""
    for element, value in elements.items():
        if value is None:
            del resource[element]
        else:
            resource[element] = value


def _entry(part: Resource) -> Resource:
    """Return the entry of a resource; what is an entry already stays as it is."""
    if "resourceType" not in part:
        return part
    return {"fullUrl": f"{SERVER}/{part['resourceType']}/{part['id']}", "resource": part}


def _http(resource: Resource, bundle: str) -> Resource:
    """Return what an entry of this type of Bundle must say beside its resource."""
    request = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    response = {"status": "200", "lastModified": "2026-09-15T00:00:00Z"}
    demanded = {
        "transaction": {"request": request},
        "batch": {"request": request},
        "history": {"request": request, "response": response},
        "transaction-response": {"response": response},
        "batch-response": {"response": response},
        "searchset": {"search": {"mode": "match"}},
    }
    return demanded.get(bundle, {})


def fact_names(expect: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the facts that an expectation speaks of, alternatives included."""
    for part in (expect, *expect.get("any_of", ())):
        yield from part.get("facts", ())
