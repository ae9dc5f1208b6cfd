"""How operators that give a truth value are written.

https://hl7.org/fhirpath/#operations
"""

from collections.abc import Callable

from carepath.fhirpath.nodes import Ast, Binary, Literal
from carepath.fhirpath.run import operators
from carepath.fhirpath.run.written.writer import Writer

Emit = Callable[[Writer, Binary, str], str]


def _short(writer: Writer, node: Binary, this: str) -> str:
    """Write an operator whose left side alone may give the answer."""
    decisive, answer = operators.SHORT[node.operator]
    left = writer.truth(node.left, this)
    out = writer.put("t", str(answer))
    with writer.block(f"if {left} is not {decisive}:"):
        right = writer.truth(node.right, this)
        decides = f"{left} is not None or {right} is {answer}"
        writer.line(f"{out} = {right} if {decides} else None")
    return out


def _xor(writer: Writer, node: Binary, this: str) -> str:
    left, right = writer.truth(node.left, this), writer.truth(node.right, this)
    return writer.put("t", f"None if {left} is None or {right} is None else {left} is not {right}")


def _equals(writer: Writer, node: Binary, this: str) -> str:
    if isinstance(node.right, Literal) and node.right.type == "String":
        return _equals_text(writer, node.left, node.right, this)
    left, right = writer.items(node.left, this), writer.items(node.right, this)
    out = writer.fresh("t")
    writer.line(f"if len({left}) == 1 == len({right}): {out} = equal_items({left}[0], {right}[0])")
    writer.line(f"else: {out} = equal({left}, {right})")
    return out


def _equals_text(writer: Writer, node: Ast, literal: Literal, this: str) -> str:
    """Write `node = 'text'`, by far the most frequent condition there is."""
    left, right = writer.items(node, this), writer.items(literal, this)
    wanted = writer.constant(literal.value)
    out = writer.fresh("t")
    with writer.block(f"if len({left}) == 1:"):
        writer.line(f"value, child = {left}[0][0], {left}[0][1]")
        writer.line(f"if child.kind == STRING and value is not None: {out} = value == {wanted}")
        writer.line(f"else: {out} = equal_items({left}[0], {right}[0])")
    writer.line(f"else: {out} = False if {left} else None")
    return out


def _differs(writer: Writer, node: Binary, this: str) -> str:
    same = writer.truth(Binary("=", node.left, node.right, node.at), this)
    return writer.put("t", f"None if {same} is None else not {same}")


def _decision(writer: Writer, node: Binary, this: str) -> str:
    left, right = writer.items(node.left, this), writer.items(node.right, this)
    operate = writer.constant(operators.DECIDES[node.operator])
    return writer.put("t", f"{operate}(context, {left}, {right})")


OPERATORS: dict[str, Emit] = {
    **dict.fromkeys(operators.SHORT, _short),
    "xor": _xor,
    "=": _equals,
    "!=": _differs,
    **dict.fromkeys(operators.DECIDES, _decision),
}
