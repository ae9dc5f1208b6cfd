"""Types: `is`, `as`, `ofType` and `type`.

https://hl7.org/fhirpath/#types and https://hl7.org/fhirpath/#reflection
"""

from carepath.fhirpath.functions.row import (
    A_BOOLEAN,
    ITEMS,
    TYPE,
    Compiler,
    Function,
    Result,
    Table,
    Writer,
    Written,
)
from carepath.fhirpath.functions.table import plain
from carepath.fhirpath.nodes import Call, Member, named_type
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.results import EMPTY, of_truth
from carepath.fhirpath.values.types import (
    SYSTEM,
    Item,
    Items,
    TypeInfo,
    fits,
    is_type,
    known_type,
    model,
)


def _wanted(node: Call) -> str:
    name = named_type(node.arguments[0])
    if name is None:
        raise Failure(f"`{node.name}()` expects the name of a type", (), node)
    # `is()` may ask for a type of another model; only the two that filter need to know it.
    if node.name != "is" and not known_type(name):
        raise Failure(f"there is no type `{name}`", (), node)
    return name


def _is(compiler: Compiler, node: Call) -> Evaluator:
    source, wanted = compiler.source(node), _wanted(node)

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        if len(items) > 1:
            raise Failure(f"`is` expects one item, found {len(items)}", items, node)
        return of_truth(is_type(items[0][1], wanted)) if items else EMPTY

    return evaluate


def _as(compiler: Compiler, node: Call) -> Evaluator:
    source, wanted = compiler.source(node), _wanted(node)

    def evaluate(context: Context, this: Item) -> Items:
        items = source(context, this)
        if len(items) > 1:
            raise Failure(f"`as` expects one item, found {len(items)}", items, node)
        return [item for item in items if fits(item[1], wanted)]

    return evaluate


def _of_type(compiler: Compiler, node: Call) -> Evaluator:
    wanted = _wanted(node)
    if isinstance(node.source, Member) and _is_step(node.source):
        return compiler.member(node.source, (node.source.name, wanted))
    source = compiler.source(node)

    def evaluate(context: Context, this: Item) -> Items:
        return [item for item in source(context, this) if fits(item[1], wanted)]

    return evaluate


def _type(_: Context, items: Items) -> Items:
    return [(_described(item[1]), SYSTEM["TypeInfo"]) for item in items]


def _described(type_: TypeInfo) -> dict[str, str]:
    return {"namespace": type_.namespace, "name": type_.name, "baseType": _base_of(type_)}


def _base_of(type_: TypeInfo) -> str:
    """Return the type that a type specialises: `FHIR.string` for an `id`."""
    if type_.namespace == "System":
        return "System.Any"
    known = model().type_of(type_.name)
    return f"FHIR.{known.base}" if known is not None and known.base else "System.Any"


def _is_step(node: Member) -> bool:
    """Tell whether name and type are one step.

    `value.ofType(Quantity)` reads `valueQuantity` at once, `resource.ofType(Patient)` only those.
    """
    return not node.name[:1].isupper()


def _write_of_type(writer: Writer, node: Call, this: str) -> str:
    wanted, source = named_type(node.arguments[0]), node.source
    is_step = isinstance(source, Member) and _is_step(source)
    if isinstance(source, Member) and is_step and wanted is not None and known_type(wanted):
        return writer.member(source, this, (source.name, wanted))
    return writer.closure(node, this)


FUNCTIONS: Table = {
    "is": Function(_is, (TYPE,), 1, A_BOOLEAN),
    "as": Function(_as, (TYPE,), 1, ITEMS),
    "ofType": Function(_of_type, (TYPE,), 1, ITEMS, written=Written(_write_of_type)),
    "type": plain(_type, gives=Result("System.TypeInfo")),
}
