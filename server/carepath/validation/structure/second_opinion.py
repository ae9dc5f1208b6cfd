"""fhir.resources at the edge: typed objects for Python callers, and a second opinion.

https://github.com/nazrulworld/fhir.resources (its R4B models; it has none for R4)

Every R4 resource of the pathway set is also valid R4B, which only adds to it.  The library reads
text as JSON, rounds decimals and fails in its own ways on some input, so nothing here is on the
way of a request; `check_structure` comes first, and what the library raises becomes an Issue.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from carepath.errors import InvalidResource
from carepath.issues import Issue
from carepath.r4.model import RESOURCE_TYPES, type_of
from carepath.validation.structure.locations import place_of, resource_type_of

if TYPE_CHECKING:
    from fhir_core.fhirabstractmodel import FHIRAbstractModel
    from pydantic import ValidationError

_CHANGED = frozenset({"Evidence", "EvidenceVariable"})
"""Resource types that R4B has under the same name with other elements."""

_ROOT_SUFFIX = "root"
"""What the library puts at the end of a place when an array stands where an object should be."""


def as_model(resource: Mapping[str, Any]) -> "FHIRAbstractModel":
    """Return a resource as an object of fhir.resources (R4B).

    Raises InvalidResource, with every problem, when the library does not take the resource.  The
    object rounds decimals and drops trailing zeros; keep the dict for what goes on the wire.
    """
    outcome = _read(dict(resource))
    if isinstance(outcome, tuple):
        raise InvalidResource(outcome)
    return outcome


def model_problems(resource: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Return what fhir.resources has against a resource; information when it knows no such type."""
    outcome = _read(dict(resource))
    return outcome if isinstance(outcome, tuple) else ()


def _read(resource: dict[str, Any]) -> "FHIRAbstractModel | tuple[Issue, ...]":
    # Importing the models takes a third of a second, which most processes never need.
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

    name = resource_type_of(resource)
    if not name:
        return (_issue("error", "structure", "The resource has no known resourceType."),)
    try:
        if name in _CHANGED:
            return (_unknown(name),)
        model: FHIRAbstractModel = get_fhir_model_class(name).model_validate(resource)
        return model
    except ValidationError as error:
        return tuple(_issues(resource, error))
    except RecursionError:
        return (_issue("error", "too-long", "The nesting is too deep for the models."),)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return (_failure(resource, error),)


def _issues(resource: dict[str, Any], error: "ValidationError") -> Iterator[Issue]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        path = [step for step in detail["loc"] if step != _ROOT_SUFFIX]
        if detail["type"] == "extra_forbidden" and _is_sibling(resource, path):
            continue  # The library does not know all the `_x` that R4 allows.
        expression = place_of(resource, path).expression
        sentence = detail["msg"].partition(",")[0].strip()
        yield _issue("error", "structure", f"`{expression}`: {sentence}.", expression)


def _is_sibling(resource: dict[str, Any], path: list[int | str]) -> bool:
    """Tell whether the last step is the `_x` of a primitive, which R4 allows everywhere."""
    name = str(path[-1]) if path else ""
    element = place_of(resource, path).element
    found = type_of(element.type) if element else None
    return name.startswith("_") and found is not None and found.kind == "primitive"


def _failure(resource: dict[str, Any], error: Exception) -> Issue:
    """Explain an exception of the library itself: a type it does not know, most often."""
    name = next(_types_not_in_r4b(resource), None)
    if name is not None:
        return _unknown(name)
    return _issue("error", "exception", f"The models fail with {type(error).__name__}.")


def _types_not_in_r4b(value: Any) -> Iterator[str]:
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415

    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            name = one.get("resourceType")
            if isinstance(name, str) and name in RESOURCE_TYPES:
                try:
                    get_fhir_model_class(name)
                except (KeyError, ValueError):
                    yield name
            stack += one.values()
        elif isinstance(one, list):
            stack += one


def _unknown(name: str) -> Issue:
    return _issue("information", "not-supported", f"The models of R4B do not have R4's {name}.")


def _issue(severity: Any, code: str, diagnostics: str, expression: str = "") -> Issue:
    return Issue(severity, code, diagnostics, (expression,) if expression else ())
