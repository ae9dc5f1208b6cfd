"""Codes and value sets, answered by the terminology of the environment.

https://hl7.org/fhir/R4/fhirpath.html#txapi
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from carepath.fhirpath.environment import Terminology
from carepath.fhirpath.functions.row import (
    A_BOOLEAN,
    VALUE,
    VALUE_SET,
    Argument,
    Compiler,
    Function,
    Table,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.nodes import Call, Special, focus_of
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, of_truth, one, one_text
from carepath.fhirpath.values.types import (
    STRING,
    TERMINOLOGIES,
    Item,
    Items,
    fhir_type,
    typed_resource,
)


def _terminology(context: Context) -> Terminology:
    found = context.environment.terminology
    if found is None:
        raise Failure("the environment has no terminology")
    return found


def codings(item: Item) -> Iterator[Mapping[str, Any]]:
    """Yield the codings of a code, Coding, CodeableConcept or Quantity."""
    value = item[0]
    if isinstance(value, str):
        yield {"code": value}
    elif isinstance(value, dict):
        if item[1].name == "CodeableConcept":
            inner = value.get("coding")
            for coding in inner if isinstance(inner, list) else ():
                if isinstance(coding, dict):
                    yield coding
        elif "code" in value and isinstance(value["code"], str):
            yield value


def _member_of(context: Context, items: Items, value_set: Items) -> Items:
    """True when one coding is a member; an unknown value set leaves it open."""
    return of_truth(is_member(context, items, one_text(value_set)))


def is_member(context: Context, items: Items, url: str | None) -> bool | None:
    """Return the truth of `memberOf(url)`."""
    item = one(items)
    return None if item is None else item_is_member(context, item, url)


def item_is_member(context: Context, item: Item, url: str | None) -> bool | None:
    """Return the truth of `memberOf(url)` for one item."""
    if url is None:
        return None
    value, type_ = item[0], item[1]
    if type_.kind != STRING and not isinstance(value, dict):
        raise Failure(f"`memberOf()` does not apply to {type_!r}", [item])
    member_of = _terminology(context).member_of
    if type(value) is str:
        return member_of({"code": value}, url)
    if type_.name == "Coding" and type(value.get("code")) is str:
        return _of_coding(member_of(value, url), value)
    answer: bool | None = False
    for coding in codings(item):
        found = _of_coding(member_of(coding, url), coding)
        if found:
            return True
        if found is None:
            answer = None
    return answer


def _of_coding(answer: bool | None, coding: Mapping[str, Any]) -> bool | None:
    """Return what an answer about a coding is worth: without a system nobody knows what it means.

    https://hl7.org/fhir/R4/datatypes-definitions.html#Coding.system
    """
    return answer if "system" in coding or not answer else None


def _subsumption(accepted: frozenset[str]) -> Function:
    def evaluate(context: Context, items: Items, other: Items) -> Items:
        ours, theirs = one(items), one(other)
        if ours is None or theirs is None:
            return EMPTY
        answers = list(_outcomes(_terminology(context), ours, theirs))
        if accepted & set(answers):
            return of_truth(True)
        return EMPTY if None in answers or not answers else of_truth(False)

    return plain(evaluate, 1, gives=A_BOOLEAN)


def _outcomes(terminology: Terminology, left: Item, right: Item) -> Iterator[str | None]:
    for ours in codings(left):
        for theirs in codings(right):
            system = ours.get("system")
            if system is not None and system == theirs.get("system"):
                yield terminology.subsumes(system, ours["code"], theirs["code"])


def _text_of(items: Items) -> str:
    """Return a canonical or code given as text, resource or coding."""
    item = one(items)
    if item is None:
        raise Failure("a call on `%terminologies` lacks an argument")
    if isinstance(item[0], dict):
        return str(item[0].get("url") or item[0].get("code") or "")
    return str(item[0])


def _coding_of(items: Items) -> Mapping[str, Any]:
    item = one(items)
    found = next(codings(item), None) if item is not None else None
    if found is None:
        raise Failure("a call on `%terminologies` lacks a coding", items)
    return found


def _on_terminologies(
    ask: Callable[..., Mapping[str, Any] | None], least: int, most: int, first: Argument = VALUE
) -> Function:
    def evaluate(context: Context, items: Items, *arguments: Items) -> Items:
        if not items or items[0][1] is not TERMINOLOGIES:
            raise Failure("this function belongs to `%terminologies`", items)
        if not all(arguments[:least]):
            return EMPTY
        answer = ask(_terminology(context), *arguments)
        return EMPTY if answer is None else [typed_resource(answer)]

    return plain(evaluate, least, most, first=first)


def _expand(terminology: Terminology, value_set: Items, _: Items = EMPTY) -> Any:
    return terminology.expand(_text_of(value_set))


def _lookup(terminology: Terminology, coded: Items, _: Items = EMPTY) -> Any:
    coding = _coding_of(coded)
    return terminology.lookup(str(coding.get("system") or ""), str(coding["code"]))


def _translate(terminology: Terminology, map_: Items, coded: Items, _: Items = EMPTY) -> Any:
    return terminology.translate(_text_of(map_), _coding_of(coded))


def _validate_vs(terminology: Terminology, value_set: Items, coded: Items, _: Items = EMPTY) -> Any:
    item = one(coded)
    answer = None
    for coding in codings(item) if item is not None else ():
        answer = terminology.validate_code(_text_of(value_set), coding)
        if answer is not None and _result_of(answer):
            break
    return answer


def _result_of(parameters: Mapping[str, Any]) -> bool:
    return any(
        p.get("name") == "result" and p.get("valueBoolean") is True
        for p in parameters.get("parameter") or ()
    )


def _subsumes_on_terminologies(
    context: Context, items: Items, system: Items, one_: Items, other: Items, _: Items = EMPTY
) -> Items:
    if not items or items[0][1] is not TERMINOLOGIES:
        raise Failure("this function belongs to `%terminologies`", items)
    answer = _terminology(context).subsumes(_text_of(system), _text_of(one_), _text_of(other))
    return EMPTY if answer is None else [(answer, fhir_type("code"))]


def _subsumes(least: int) -> Function:
    on_coding, on_terminologies = (
        _subsumption(frozenset({"equivalent", "subsumes"})),
        plain(_subsumes_on_terminologies, 3, 4),
    )

    def build(compiler: Compiler, node: Call) -> Evaluator:
        row = on_coding if len(node.arguments) == least else on_terminologies
        if not row.takes(len(node.arguments)):
            told = f"`subsumes()` takes {on_coding.arity}, on `%terminologies` {row.arity}"
            raise Failure(told, (), node)
        return row.build(compiler, node)

    # On a coding it gives a boolean, on `%terminologies` a code.
    return Function(build, (VALUE,) * 4, 1)


def _write_member_of(writer: Writer, node: Call, this: str) -> str:
    if this != "this" and focus_of(node) == Special("$this"):
        url = writer.text(node.arguments[0], this)
        return writer.put("t", f"{writer.constant(item_is_member)}(context, {this}, {url})")
    items = writer.source(node, this)
    url = writer.text(node.arguments[0], this)
    return writer.put("t", f"{writer.constant(is_member)}(context, {items}, {url})")


FUNCTIONS: Table = {
    "memberOf": plain(
        _member_of, 1, first=VALUE_SET, gives=A_BOOLEAN, written=Written(truth=_write_member_of)
    ),
    "subsumes": _subsumes(1),
    "subsumedBy": _subsumption(frozenset({"equivalent", "subsumed-by"})),
    "expand": _on_terminologies(_expand, 1, 2, VALUE_SET),
    "lookup": _on_terminologies(_lookup, 1, 2),
    "translate": _on_terminologies(_translate, 2, 3),
    "validateVS": _on_terminologies(_validate_vs, 2, 3, VALUE_SET),
}
