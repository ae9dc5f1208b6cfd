"""Compare the answer of an engine with a case of this suite; standard library only.

The rules are told in README.md beside this file.  Nothing here knows one engine: an answer is a
CarePlan (R4 `$apply`), a Bundle (`$r5.apply`) or one request (`ActivityDefinition/$apply`).
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = dict[str, Any]
OPEN = "$open"
CONTAINS = "$contains"
ANY = "$any"
AS_SETS = frozenset({"extension", "modifierExtension"})
FREE_IN_ACTIONS = frozenset({"id", "extension"})


class Answer(NamedTuple):
    """An answer in normal form: references into the answer replaced by what they name."""

    care_plan: Json | None
    request_group: Json | None
    goals: list[Json]
    provenance: Json | None
    resource: Json | None
    issues: list[Json]


def normal_form(answer: Json) -> Answer:
    """Return the parts of an answer, independent of ids and of where the resources stand."""
    here = _resources_of(answer)
    issues = [
        i for r in here.values() if r["resourceType"] == "OperationOutcome" for i in r["issue"]
    ]
    goals = [_bare(r) for r in _unique(here) if r["resourceType"] == "Goal"]
    told = next((_bare(r) for r in _unique(here) if r["resourceType"] == "Provenance"), None)
    kind = answer["resourceType"]
    if kind == "Bundle":
        group = answer["entry"][0]["resource"]
        return Answer(None, _inlined_group(group, here), goals, told, None, issues)
    if kind == "CarePlan" and answer.get("activity"):
        group = here[answer["activity"][0]["reference"]["reference"]]
        return Answer(_bare(answer), _inlined_group(group, here), goals, told, None, issues)
    return Answer(None, None, goals, told, _bare(answer), issues)


def _resources_of(answer: Json) -> dict[str, Json]:
    """Return the resources of an answer by every reference that may name them."""
    found: dict[str, Json] = {f"#{r['id']}": r for r in answer.get("contained", [])}
    if answer["resourceType"] != "Bundle":
        return found
    for entry in answer.get("entry", []):
        resource = entry["resource"]
        found[entry["fullUrl"]] = resource
        if "id" in resource:
            found[f"{resource['resourceType']}/{resource['id']}"] = resource
        found |= {f"#{r['id']}": r for r in resource.get("contained", [])}
    return found


def _unique(here: dict[str, Json]) -> Iterator[Json]:
    seen: set[int] = set()
    for resource in here.values():
        if id(resource) not in seen:
            seen.add(id(resource))
            yield resource


def _bare(resource: Json) -> Json:
    """Return a resource without what another engine is free to choose."""
    return {k: v for k, v in resource.items() if k not in ("id", "contained")}


def _inlined_group(group: Json, here: Mapping[str, Json]) -> Json:
    bare = copy.deepcopy(_bare(group))
    _inline(bare, here)
    return located(bare)


def _inline(parent: Json, here: Mapping[str, Json]) -> None:
    for action in parent.get("action") or []:
        target = here.get(action.get("resource", {}).get("reference", ""))
        if target is not None and target["resourceType"] == "RequestGroup" and "action" in target:
            action["action"] = copy.deepcopy(target["action"])
            del action["resource"]
        elif target is not None:
            action["resource"] = _with_group(_bare(target), here)
        _inline(action, here)


def _with_group(resource: Json, here: Mapping[str, Json]) -> Json:
    """Return a nested CarePlan with its RequestGroup in its place; anything else as it is."""
    if resource["resourceType"] != "CarePlan":
        return resource
    groups = [_inlined_group(here[a["reference"]["reference"]], here) for a in resource["activity"]]
    return {**resource, "activity": [{"reference": group} for group in groups]}


def located(group: Json) -> Json:
    """Replace the ids of actions, and references to them, by the place of the action."""
    places: dict[str, str] = {}
    for place, action in actions_of(group):
        if "id" in action:
            places[action["id"]] = place
    for _, action in actions_of(group):
        action.pop("id", None)
        for related in action.get("relatedAction", []):
            name = related["actionId"]
            related["actionId"] = places.get(name, f"no action has the id {name}")
    return group


def actions_of(parent: Json, place: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every action below a RequestGroup or action with its place, depth first."""
    actions = parent.get("action") or []
    if isinstance(actions, dict):
        actions = actions.get(CONTAINS, [])
    for index, action in enumerate(actions):
        here = f"{place}action[{index}]"
        yield here, action
        yield from actions_of(action, f"{here}.")


def broken_rules(answer: Json) -> list[str]:
    """Return what every answer must hold and this one does not, whatever the case."""
    here = _resources_of(answer)
    problems = []
    for resource in _unique(here):
        if resource["resourceType"] == "RequestGroup":
            problems += _broken_group(resource)
    if answer["resourceType"] == "CarePlan" and len(answer.get("activity", [])) > 1:
        problems.append("CarePlan.activity: more than the one RequestGroup")
    references = {r for r in _references(answer) if r.startswith("#") and r != "#"}
    problems += [f"{r}: nothing is contained under this id" for r in references - set(here)]
    if answer["resourceType"] != "Bundle":
        # dom-3: what is contained is referred to, or refers to the resource around it.
        outward = {name for name, inside in here.items() if "#" in _references(inside)}
        unused = set(here) - references - outward
        problems += [f"{c}: contained, but nothing refers to it" for c in unused]
    return problems


def _broken_group(group: Json) -> list[str]:
    problems, ids = [], []
    for place, action in actions_of(group):
        ids += [action["id"]] if "id" in action else []
        if ("resource" in action) == ("action" in action):
            problems.append(f"{place}: rqg-1, not exactly one of resource and action")
    problems += [f"the action id {i} is used twice" for i in set(ids) if ids.count(i) > 1]
    for place, action in actions_of(group):
        for related in action.get("relatedAction", []):
            if related["actionId"] not in ids:
                problems.append(f"{place}: relatedAction {related['actionId']} leads nowhere")
    return problems


def _references(value: Any) -> Iterator[str]:
    """Yield what is referred to by a Reference, or inside the answer by a canonical (`#id`)."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and (key == "reference" or item.startswith("#")):
                yield item
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def differences(expected: Any, actual: Any, place: str = "") -> list[str]:
    """Return where `actual` departs from the pattern `expected`; an empty list means: matches."""
    if isinstance(expected, dict):
        return _object_differences(expected, actual, place)
    if isinstance(expected, list):
        return _array_differences(expected, actual, place)
    same = _as_written(expected) == _as_written(actual)
    return [] if same else [f"{place}: expected {expected!r}, got {actual!r}"]


def _as_written(value: Any) -> Any:
    """Return what tells two simple values apart: true is not 1, and 1.50 is not 1.5."""
    return (str(value), isinstance(value, str))


def _object_differences(expected: Json, actual: Any, place: str) -> list[str]:
    if expected == {ANY: True}:
        return [f"{place}: missing"] if actual is None else []
    if CONTAINS in expected:
        return _contained(expected[CONTAINS], actual, place)
    if not isinstance(actual, dict):
        return [f"{place}: expected an object, got {actual!r}"]
    found: list[str] = []
    for name, value in expected.items():
        if name == OPEN:
            continue
        here = f"{place}.{name}" if place else name
        if value is None:
            found += [f"{here}: should be absent"] if name in actual else []
        elif name in AS_SETS:
            found += _as_set(value, actual.get(name, []), here)
        else:
            found += differences(value, actual.get(name), here)
    if _is_action(place) and OPEN not in expected:
        extra = set(actual) - set(expected) - FREE_IN_ACTIONS
        found += [f"{place}.{name}: not expected here" for name in sorted(extra)]
    return found


def _is_action(place: str) -> bool:
    """Tell whether a place is an action of a RequestGroup: those are compared whole."""
    last = place.rpartition(".")[2]
    return last.startswith("action[") and ".resource." not in place


def _array_differences(expected: list[Any], actual: Any, place: str) -> list[str]:
    if not isinstance(actual, list):
        return [f"{place}: expected an array, got {actual!r}"]
    if len(expected) != len(actual):
        return [f"{place}: expected {len(expected)} elements, got {len(actual)}: {actual!r}"]
    pairs = zip(expected, actual, strict=True)
    return [d for i, (e, a) in enumerate(pairs) for d in differences(e, a, f"{place}[{i}]")]


def _contained(expected: list[Any], actual: Any, place: str) -> list[str]:
    """Each expected element matches a later element of the array than the one before it."""
    if not isinstance(actual, list):
        return [f"{place}: expected an array, got {actual!r}"]
    rest = iter(enumerate(actual))
    for index, element in enumerate(expected):
        if not any(not differences(element, a, f"{place}[{i}]") for i, a in rest):
            return [f"{place}: no element matches the expected element {index}: {element!r}"]
    return []


def _as_set(expected: list[Any], actual: list[Any], place: str) -> list[str]:
    return [
        f"{place}: no element matches {element!r}"
        for element in expected
        if not any(not differences(element, a, f"{place}[{i}]") for i, a in enumerate(actual))
    ]


def answer_differences(expect: Json, answer: Json) -> list[str]:
    """Return where one answer departs from the `expect` of a case."""
    normal = normal_form(answer)
    found: list[str] = broken_rules(answer)
    if "carePlan" in expect and normal.care_plan is not None:
        found += differences(expect["carePlan"], normal.care_plan, "carePlan")
    if "requestGroup" in expect:
        pattern = located(copy.deepcopy(expect["requestGroup"]))
        found += differences(pattern, normal.request_group, "requestGroup")
    if "goals" in expect:
        found += differences(expect["goals"], normal.goals, "goals")
    if "provenance" in expect:
        found += differences(expect["provenance"], normal.provenance, "provenance")
    if "resource" in expect:
        found += differences(expect["resource"], normal.resource, "resource")
    if "bundle" in expect and answer["resourceType"] == "Bundle":
        found += differences(expect["bundle"], answer, "bundle")
    return found
