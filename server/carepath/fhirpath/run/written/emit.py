"""How each kind of node is written: as a collection, as a truth value, as a text.

https://hl7.org/fhirpath/#expressions
"""

from collections.abc import Mapping

from carepath.fhirpath.functions import FUNCTIONS
from carepath.fhirpath.functions.row import Function, Written
from carepath.fhirpath.nodes import Ast, Binary, Call, EmptySet, Literal, Member, Special, Variable
from carepath.fhirpath.run import operators
from carepath.fhirpath.run.written import logic
from carepath.fhirpath.run.written.writer import Emit, Form, Writer
from carepath.fhirpath.values.standard_variables import is_given
from carepath.fhirpath.values.types import SYSTEM


def items(writer: Writer, node: Ast, this: str) -> str:
    """Write what gives a collection."""
    if writer.is_deep:
        return writer.closure(node, this)
    match node:
        case Literal():
            return writer.constant([(node.value, SYSTEM[node.type])])
        case EmptySet():
            return "EMPTY"
        case Special(name="$this"):
            return _this(writer, this)
        case Variable() if is_given(node.name):
            return _variable(writer, node)
        case Member() if not node.name[:1].isupper():
            return writer.member(node, this, node.name)
        case Binary():
            return _binary(writer, node, this)
        case Call():
            return _call(writer, node, this)
    return writer.closure(node, this)


def truth(writer: Writer, node: Ast, this: str) -> str:
    """Write what gives True, False or None."""
    if not writer.is_deep:
        if isinstance(node, Binary) and node.operator in logic.OPERATORS:
            return logic.OPERATORS[node.operator](writer, node, this)
        if isinstance(node, Call) and (emit := _written(node).truth) is not None:
            return emit(writer, node, this)
    return writer.put("t", f"as_truth({writer.items(node, this)})")


def text(writer: Writer, node: Ast, this: str) -> str:
    """Write what gives one text or None."""
    if isinstance(node, Literal) and node.type == "String":
        return writer.constant(node.value)
    if isinstance(node, Special) and node.name == "$this" and this != "this":
        return writer.put("s", f"text_of_item({this})")
    if isinstance(node, Call) and (emit := _written(node).text) is not None:
        return emit(writer, node, this)
    if isinstance(node, Binary) and node.operator == "&":
        left, right = writer.text(node.left, this), writer.text(node.right, this)
        return writer.put("s", f"context.checked_text(({left} or '') + ({right} or ''))")
    return writer.put("s", f"one_text({writer.items(node, this)})")


def _variable(writer: Writer, node: Variable) -> str:
    """Write the reading of what the caller gives; a name that nobody gives is a KeyError."""
    given = writer.put("v", f"context.environment.variables[{writer.constant(node.name)}]")
    items = f"{given}.items if type({given}) is Known else items_of({given})"
    if writer.compiler.follows:
        items = f"context.noted({writer.constant(node.name)}, {items})"
    return writer.put("v", items)


def _this(writer: Writer, this: str) -> str:
    """Write `$this`; only the focus of the whole expression may stand for several items."""
    if this == "this":
        return writer.put("v", "[this] if this[1] is not MANY else list(this[0])")
    return writer.put("v", f"[{this}]")


def _binary(writer: Writer, node: Binary, this: str) -> str:
    if node.operator in logic.OPERATORS:
        return writer.put("v", f"OF_TRUTH[{writer.truth(node, this)}]")
    if node.operator == "&":
        return writer.put(
            "v", f"[({writer.text(node, this)}, {writer.constant(SYSTEM['String'])})]"
        )
    left, right = writer.items(node.left, this), writer.items(node.right, this)
    operate = writer.constant(operators.OPERATES[node.operator])
    return writer.put("v", f"{operate}(context, {left}, {right})")


def _call(writer: Writer, node: Call, this: str) -> str:
    form = _written(node)
    if form.items is not None:
        return form.items(writer, node, this)
    if form.truth is not None:
        return writer.put("v", f"OF_TRUTH[{writer.truth(node, this)}]")
    if form.text is not None:
        found, kind = writer.text(node, this), writer.constant(SYSTEM["String"])
        return writer.put("v", f"EMPTY if {found} is None else [({found}, {kind})]")
    function = FUNCTIONS.get(node.name)
    if function is None or function.operate is None or not function.takes(len(node.arguments)):
        return writer.closure(node, this)
    return _operation(writer, node, this, function)


_BY_NOTHING = Written()


def _written(node: Call) -> Written:
    """Return the forms in which a call is written; for many there is none."""
    function = FUNCTIONS.get(node.name)
    return (function.written_for(node) if function is not None else None) or _BY_NOTHING


def _operation(writer: Writer, node: Call, this: str, function: Function) -> str:
    """Write a call of what a row does with collections."""
    source = writer.source(node, this)
    arguments = [writer.items(argument, this) for argument in node.arguments]
    writer.line(f"if len({source}) > 100: context.spend(len({source}))")
    operate = writer.constant(function.operate)
    return writer.put("v", f"{operate}({', '.join(['context', source, *arguments])})")


FORMS: Mapping[Form, Emit] = {"items": items, "truth": truth, "text": text}
