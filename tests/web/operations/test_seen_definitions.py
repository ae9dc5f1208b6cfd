"""Definitions that come again and again: the answers are the same, and reading them costs once.

https://hl7.org/fhir/R4/plandefinition-operation-apply.html
"""

import json
import pickle
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from carepath.knowledge import Knowledge, KnowledgeOfRequests
from carepath.web import Config, create_app, seen_definitions
from carepath.web.seen_definitions import SeenDefinitions

Json = dict[str, Any]

FILES = sorted((Path(__file__).parents[2] / "apply" / "cases").glob("*.json"))
CASES = [p for p in FILES if {"definition"} < json.loads(p.read_text("utf-8"))["request"].keys()]
HELD = Knowledge.of([])
TOPICS = {
    topic: list(some) for topic, some in groupby(CASES, lambda path: path.stem.partition("-")[0])
}


def activity(code: str, **more: Any) -> Json:
    url = "https://example.org/ActivityDefinition/a"
    named = {"resourceType": "ActivityDefinition", "id": "a", "url": url, "status": "draft"}
    return {**named, "kind": "ServiceRequest", "code": {"text": code}, **more}


def body(case: Json, *, inline: bool) -> tuple[str, str]:
    """Return the path and the Parameters that bring a case with all its definitions."""
    resource_type, _, id_ = case["request"]["definition"].partition("/")
    definitions = case["definitions"]
    named = {(d["resourceType"], d.get("id")): d for d in definitions}
    # A case that asks for a definition that is nowhere asks for the first one here.
    root = named.get((resource_type, id_), definitions[0])
    name = resource_type[0].lower() + resource_type[1:]
    entries = [{"resource": resource} for resource in case["data"]]
    parts = [_bundle("data", entries)]
    if inline:
        parts.append({"name": name, "resource": root})
    else:
        parts.append({"name": "url", "valueUri": root.get("url", "urn:none")})
    parts.append(_bundle("definitions", [{"resource": d} for d in definitions]))
    subject = case["request"].get("parameters", {}).get("subject")
    parts += [{"name": "subject", "valueString": subject}] if isinstance(subject, str) else []
    return f"/fhir/{resource_type}/$apply", json.dumps(
        {"resourceType": "Parameters", "parameter": parts}
    )


def _bundle(name: str, entries: list[Json]) -> Json:
    resource = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {"name": name, "resource": resource}


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("inline", [True, False])
def test_answers_are_the_same_each_time(topic: str, *, inline: bool) -> None:
    client = create_app(Config(now="2026-03-31T09:15:00+04:00"), HELD).test_client()
    changed = {}
    for case in TOPICS[topic]:
        path, sent = body(json.loads(case.read_text("utf-8")), inline=inline)
        answers = [
            client.post(path, data=sent, content_type="application/fhir+json") for _ in range(3)
        ]
        found = {(answer.status_code, answer.data) for answer in answers}
        if len(found) != 1 or answers[0].status_code >= 500:
            changed[case.stem] = sorted(found)
    assert changed == {}


def test_a_set_is_kept_when_it_comes_again() -> None:
    seen = SeenDefinitions(HELD)
    first = seen.knowledge([activity("one")], None)
    second = seen.knowledge([activity("one")], None)
    assert not isinstance(first, KnowledgeOfRequests)
    assert isinstance(second, KnowledgeOfRequests)
    assert seen.knowledge([activity("one")], None) is second
    assert not isinstance(seen.knowledge([activity("other")], None), KnowledgeOfRequests)
    assert not isinstance(seen.knowledge([], activity("one")), KnowledgeOfRequests)


def test_without_definitions_nothing_is_kept() -> None:
    seen = SeenDefinitions(HELD)
    assert [seen.knowledge([], None) for _ in range(3)] == [HELD] * 3


def test_the_definition_that_is_held_stands_for_the_one_that_came_again() -> None:
    seen = SeenDefinitions(HELD)
    seen.knowledge([activity("b", id="b")], activity("one"))
    kept = activity("one")
    knowledge = seen.knowledge([activity("b", id="b")], kept)
    again = activity("one")
    assert seen.knowledge([activity("b", id="b")], again) is knowledge
    assert knowledge.itself(again) is kept
    assert knowledge.itself(kept) is kept
    sent = knowledge.definition("ActivityDefinition", "b")
    assert knowledge.itself(sent) is sent
    assert HELD.itself(again) is again
    assert knowledge.find(kept["url"]) is not kept, "no canonical leads to it"


def test_what_is_kept_can_be_pickled() -> None:
    knowledge = KnowledgeOfRequests(HELD, [activity("b", id="b")], activity("one"))
    again = pickle.loads(pickle.dumps(knowledge))  # noqa: S301 - our own bytes
    assert type(again) is KnowledgeOfRequests
    assert again.all("ActivityDefinition") == knowledge.all("ActivityDefinition")
    assert again.itself(activity("one"))["code"] == {"text": "one"}


def test_the_oldest_set_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_definitions, "MOST_SETS", 2)
    seen = SeenDefinitions(HELD)

    def kept(name: str) -> Knowledge:
        seen.knowledge([activity(name)], None)
        return seen.knowledge([activity(name)], None)

    a, b = kept("a"), kept("b")
    assert seen.knowledge([activity("a")], None) is a
    kept("c")
    assert seen.knowledge([activity("a")], None) is a
    assert seen.knowledge([activity("b")], None) is not b


def test_what_is_kept_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_definitions, "MOST_BYTES", 400)
    seen = SeenDefinitions(HELD)
    large, small = [activity("x" * 400)], [activity("x")]
    assert not any(isinstance(seen.knowledge(large, None), KnowledgeOfRequests) for _ in range(3))
    first = [seen.knowledge(small, None) for _ in range(2)][1]
    other = [activity("x" * 150)]
    second = [seen.knowledge(other, None) for _ in range(2)][1]
    assert seen.knowledge(other, None) is second
    assert seen.knowledge(small, None) is not first


def test_what_came_once_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_definitions, "MOST_SEEN", 2)
    seen = SeenDefinitions(HELD)
    for name in ("a", "b", "c"):
        seen.knowledge([activity(name)], None)
    assert not isinstance(seen.knowledge([activity("a")], None), KnowledgeOfRequests)
    assert isinstance(seen.knowledge([activity("c")], None), KnowledgeOfRequests)
