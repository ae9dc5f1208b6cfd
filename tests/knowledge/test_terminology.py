"""What local terminology knows, and what it admits not to know."""

from typing import Any

import pytest

from carepath.errors import CyclicDefinition
from carepath.knowledge import Knowledge, Terminology

TREE = {
    "resourceType": "CodeSystem",
    "url": "http://x/tree",
    "version": "1",
    "name": "Tree",
    "content": "complete",
    "property": [{"code": "colour", "type": "code"}],
    "concept": [
        {
            "code": "root",
            "display": "Root",
            "concept": [
                {
                    "code": "left",
                    "display": "Left",
                    "property": [{"code": "colour", "valueCode": "red"}],
                    "concept": [{"code": "leaf", "display": "Leaf"}],
                },
                {"code": "right", "property": [{"code": "colour", "valueCode": "blue"}]},
            ],
        },
        {"code": "apart", "property": [{"code": "parent", "valueCode": "right"}]},
    ],
}
PART = {"resourceType": "CodeSystem", "url": "http://x/part", "content": "fragment"}
PART["concept"] = [{"code": "a"}]


def value_set(name: str, *include: dict[str, Any], exclude: Any = ()) -> dict[str, Any]:
    compose: dict[str, Any] = {"include": list(include)}
    if exclude:
        compose["exclude"] = list(exclude)
    return {"resourceType": "ValueSet", "url": f"http://x/vs/{name}", "compose": compose}


def terminology(*value_sets: dict[str, Any]) -> Terminology:
    return Knowledge.of([TREE, PART, *value_sets]).terminology


def filtered(property_: str, op: str, value: str) -> dict[str, Any]:
    item = {"property": property_, "op": op, "value": value}
    return {"system": "http://x/tree", "filter": [item]}


def codes(found: Terminology, name: str = "v") -> set[str]:
    expansion = found.expansion(f"http://x/vs/{name}")
    assert expansion is not None
    return {code for _, code in expansion.codes}


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ({"system": "http://x/tree"}, {"root", "left", "leaf", "right", "apart"}),
        ({"system": "http://x/tree", "concept": [{"code": "left"}]}, {"left"}),
        (filtered("concept", "is-a", "left"), {"left", "leaf"}),
        (filtered("concept", "descendent-of", "root"), {"left", "leaf", "right", "apart"}),
        (filtered("concept", "is-not-a", "left"), {"root", "right", "apart"}),
        (filtered("concept", "generalizes", "leaf"), {"root", "left", "leaf"}),
        (filtered("concept", "in", "left, right"), {"left", "right"}),
        (filtered("concept", "not-in", "left,right"), {"root", "leaf", "apart"}),
        (filtered("colour", "=", "red"), {"left"}),
        (filtered("colour", "exists", "true"), {"left", "right"}),
        (filtered("code", "regex", "le.*"), {"left", "leaf"}),
        (filtered("parent", "=", "right"), {"apart"}),
    ],
)
def test_expansion(include: dict[str, Any], expected: set[str]) -> None:
    assert codes(terminology(value_set("v", include))) == expected


def test_filters_are_anded_and_includes_are_united() -> None:
    both = filtered("concept", "is-a", "root")
    both["filter"].append({"property": "colour", "op": "=", "value": "blue"})
    listed = {"system": "http://x/other", "concept": [{"code": "z"}]}
    assert codes(terminology(value_set("v", both, listed))) == {"right", "z"}


def test_imports_and_exclusions() -> None:
    inner = value_set("inner", filtered("concept", "is-a", "root"))
    outer = value_set(
        "v",
        {"valueSet": ["http://x/vs/inner"]},
        exclude=[{"system": "http://x/tree", "concept": [{"code": "leaf"}]}],
    )
    assert codes(terminology(inner, outer)) == {"root", "left", "right", "apart"}


def test_the_parts_of_an_include_must_agree() -> None:
    inner = value_set("inner", filtered("concept", "is-a", "left"))
    both = {"valueSet": ["http://x/vs/inner"], **filtered("code", "regex", "leaf|right")}
    assert codes(terminology(inner, value_set("v", both))) == {"leaf"}


def test_value_sets_in_a_circle() -> None:
    one = value_set("one", {"valueSet": ["http://x/vs/two"]})
    two = value_set("two", {"valueSet": ["http://x/vs/one"]})
    with pytest.raises(CyclicDefinition) as caught:
        terminology(one, two).expansion("http://x/vs/one")
    assert caught.value.chain == ("http://x/vs/one", "http://x/vs/two", "http://x/vs/one")


def test_membership_is_three_valued() -> None:
    found = terminology(
        value_set("tree", {"system": "http://x/tree"}),
        value_set("part", {"system": "http://x/part"}),
        value_set("unknown", {"system": "http://x/absent"}),
        value_set("odd", filtered("concept", "child-of", "root")),
        value_set("less", {"system": "http://x/tree"}, exclude=[{"system": "http://x/part"}]),
    )

    def member(name: str, system: str, code: str) -> bool | None:
        return found.member_of({"system": system, "code": code}, f"http://x/vs/{name}")

    assert member("tree", "http://x/tree", "left") is True
    assert member("tree", "http://x/tree", "no") is False
    assert member("tree", "http://x/part", "left") is False
    assert member("part", "http://x/part", "a") is True
    assert member("part", "http://x/part", "b") is None
    assert member("unknown", "http://x/absent", "a") is None
    assert member("odd", "http://x/tree", "left") is None
    assert member("less", "http://x/tree", "left") is None
    assert member("nowhere", "http://x/tree", "left") is None
    assert found.member_of({"code": "left"}, "http://x/vs/tree") is True


def test_value_sets_of_r4_are_known() -> None:
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert terminology().member_of({"code": "female"}, gender) is True
    assert terminology().member_of({"code": "F"}, f"{gender}|4.0.1") is False


def test_a_ready_expansion_is_taken() -> None:
    ready = {
        "resourceType": "ValueSet",
        "url": "http://x/vs/v",
        "expansion": {
            "contains": [
                {"system": "s", "code": "abstract", "abstract": True, "contains": [{"code": "in"}]},
                {"system": "s", "code": "a"},
            ]
        },
    }
    assert codes(terminology(ready)) == {"in", "a"}


def test_subsumption_by_the_hierarchy() -> None:
    found = terminology()
    assert found.subsumes("http://x/tree", "root", "leaf") == "subsumes"
    assert found.subsumes("http://x/tree", "leaf", "root") == "subsumed-by"
    assert found.subsumes("http://x/tree|1", "apart", "apart") == "equivalent"
    assert found.subsumes("http://x/tree", "left", "right") == "not-subsumed"
    assert found.subsumes("http://x/tree", "left", "absent") is None
    assert found.subsumes("http://x/absent", "a", "b") is None


def test_lookup_and_concept() -> None:
    found = terminology()
    assert found.concept("http://x/tree", "leaf") == {
        "system": "http://x/tree",
        "code": "leaf",
        "display": "Leaf",
    }
    assert found.lookup("http://x/tree", "leaf") == {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "name", "valueString": "Tree"},
            {"name": "version", "valueString": "1"},
            {"name": "display", "valueString": "Leaf"},
        ],
    }
    assert found.lookup("http://x/tree", "absent") is None


def test_validate_code() -> None:
    found = terminology(
        value_set("tree", {"system": "http://x/tree"}),
        value_set("part", {"system": "http://x/part"}),
    )
    concept = {
        "coding": [{"system": "y", "code": "1"}, {"system": "http://x/tree", "code": "left"}]
    }
    answer = found.validate_code("http://x/vs/tree", concept)
    assert answer is not None
    assert answer["parameter"] == [
        {"name": "result", "valueBoolean": True},
        {"name": "display", "valueString": "Left"},
    ]
    assert found.validate_code("http://x/vs/part", {"system": "http://x/part", "code": "b"}) is None


def test_expand_gives_a_value_set_with_displays() -> None:
    found = terminology(value_set("v", filtered("concept", "is-a", "left")))
    expanded = found.expand("http://x/vs/v")
    assert expanded is not None
    assert expanded["expansion"] == {
        "total": 2,
        "contains": [
            {"system": "http://x/tree", "code": "leaf", "display": "Leaf"},
            {"system": "http://x/tree", "code": "left", "display": "Left"},
        ],
    }
    assert found.expand("http://x/vs/nowhere") is None
