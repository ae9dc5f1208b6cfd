"""The same resources under other ids, full URLs and references.

https://hl7.org/fhir/R4/bundle.html#references and https://hl7.org/fhir/R4/references.html
"""

from random import Random
from uuid import NAMESPACE_URL, uuid5

from carepath.resources import Resource

from .bundles import key, location, references


def other_ids(bundle: Resource, random: Random) -> Resource:
    """Give each resource another id; references, full URLs and request URLs follow."""
    ids = [entry["resource"]["id"] for entry in bundle["entry"] if "id" in entry["resource"]]
    order = sorted(set(ids))
    random.shuffle(order)
    style = random.choice(("{}", "Z-{}", "0.{}.a"))
    new = {old: style.format(n + 17) for n, old in enumerate(order)}
    for reference, _ in references(bundle):
        reference["reference"] = _renamed(reference["reference"], new)
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if "id" not in resource:
            continue
        local = f"{resource['resourceType']}/{resource['id']}"
        if entry.get("fullUrl", "").endswith(f"/{local}"):
            entry["fullUrl"] = _renamed(entry["fullUrl"], new)
        if entry.get("request", {}).get("url") == local:
            entry["request"]["url"] = _renamed(local, new)
        resource["id"] = new[resource["id"]]
    return bundle


def _renamed(text: str, new: dict[str, str]) -> str:
    """Return a reference or URL that ends in an old id with the new one."""
    plain, history, version = text.partition("/_history/")
    before, slash, id_ = plain.rpartition("/")
    return f"{before}{slash}{new.get(id_, id_)}{history}{version}" if slash else text


def urns(bundle: Resource, _: Random) -> Resource:
    """Name each resource by `urn:uuid:` alone, as a sender does who has given no ids yet."""
    for entry in _named_by_urn(bundle)["entry"]:
        entry["resource"].pop("id", None)
        if entry.get("request", {}).get("method") == "PUT":
            entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    return bundle


def urns_beside_ids(bundle: Resource, _: Random) -> Resource:
    """Name each resource by `urn:uuid:` and keep its id."""
    return _named_by_urn(bundle)


def urns_in_capitals(bundle: Resource, random: Random) -> Resource:
    """Name each resource by `urn:uuid:` in capitals, and refer to it in small letters."""
    for entry in urns(bundle, random)["entry"]:
        if entry.get("fullUrl", "").startswith("urn:uuid:"):
            entry["fullUrl"] = f"urn:uuid:{entry['fullUrl'][9:].upper()}"
    return bundle


def _named_by_urn(bundle: Resource) -> Resource:
    keys = {key(entry) for entry in bundle["entry"]} - {""}
    names = {name: f"urn:uuid:{uuid5(NAMESPACE_URL, name)}" for name in keys}
    for reference, target in references(bundle):
        reference["reference"] = names[target]
    for entry in bundle["entry"]:
        if key(entry):
            entry["fullUrl"] = names[key(entry)]
    return bundle


def absolute_references(bundle: Resource, _: Random) -> Resource:
    """Name each resource by its full URL on one server, and refer to it by that."""
    locations = _on_a_server(bundle)
    for reference, target in references(bundle):
        reference["reference"] = locations.get(target, reference["reference"])
    return _at(bundle, locations)


def relative_references(bundle: Resource, _: Random) -> Resource:
    """Name each resource by its full URL on one server, and refer to it by type and id."""
    locations = _on_a_server(bundle)
    for reference, target in references(bundle):
        if target in locations:
            reference["reference"] = "/".join(locations[target].split("/")[-2:])
    return _at(bundle, locations)


def _on_a_server(bundle: Resource) -> dict[str, str]:
    """Return the http full URL of each entry that has an id, by its key; all ids are given."""
    for entry in bundle["entry"]:
        if entry.get("fullUrl", "").startswith("urn:uuid:"):
            entry["resource"].setdefault("id", entry["fullUrl"][9:].lower())
    return {key(e): location(bundle, e) for e in bundle["entry"] if "id" in e["resource"]}


def _at(bundle: Resource, locations: dict[str, str]) -> Resource:
    for entry in bundle["entry"]:
        if key(entry) in locations:
            entry["fullUrl"] = locations[key(entry)]
    return bundle
