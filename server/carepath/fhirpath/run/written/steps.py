"""How path steps are written.

https://hl7.org/fhirpath/#path-selection
"""

from carepath.fhirpath.functions.row import Writer
from carepath.fhirpath.nodes import Member
from carepath.fhirpath.values.access import Key


def member(writer: Writer, node: Member, this: str, key: Key) -> str:
    """Write a path step; with a key of two parts `source.name.ofType(T)`."""
    if node.source is None:
        out = writer.put("v", "[]")
        _add_children(writer, this, key, out)
        return out
    source = writer.items(node.source, this)
    out = writer.put("v", "[]")
    with writer.loop(source) as item:
        _add_children(writer, item, key, out)
    return out


def _add_children(writer: Writer, item: str, key: Key, out: str) -> None:
    """Write what adds the children of one item to a list; the two common kinds stand inline.

    A step stands hundreds of times in the source: every line here is paid for at the start.
    """
    name = writer.constant(key)
    writer.line(f"kind, name, beside, child = {item}[1].members[{name}]")
    with writer.block("if kind == COMPLEX:"):
        writer.line(f"value = {item}[0].get(name)")
        writer.line(f"if type(value) is dict: {out}.append((value, child))")
        writer.line(f"elif type(value) is list: {out} += dicts(value, child)")
    is_single = f"beside not in {item}[0] and type(value := {item}[0].get(name)) is not list"
    with writer.block(f"elif kind == PRIMITIVE and {is_single}:"):
        writer.line(f"if value is not None: {out}.append((value, child))")
    writer.line(f"elif kind: ADDERS[kind]({item}, name, beside, child, {out})")
