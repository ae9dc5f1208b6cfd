"""How path steps are written.

https://hl7.org/fhirpath/#path-selection
"""

from carepath.fhirpath.access import Key
from carepath.fhirpath.nodes import Member
from carepath.fhirpath.source.writer import Writer


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
    """Write what adds the children of one item to a list; the two common kinds stand inline."""
    name = writer.constant(key)
    writer.line(f"kind, name, beside, child = {item}[1].members[{name}]")
    with writer.block("if kind == COMPLEX:"):
        writer.line(f"value = {item}[0].get(name)")
        with writer.block("if type(value) is dict:"):
            writer.line(f"{out}.append((value, child))")
        with writer.block("elif type(value) is list:"), writer.block("for each in value:"):
            writer.line(f"if type(each) is dict: {out}.append((each, child))")
    with writer.block(f"elif kind == PRIMITIVE and beside not in {item}[0]:"):
        writer.line(f"value = {item}[0].get(name)")
        with writer.block("if type(value) is list:"), writer.block("for each in value:"):
            writer.line(f"if each is not None: {out}.append((each, child))")
        writer.line(f"elif value is not None: {out}.append((value, child))")
    writer.line(f"elif kind: ADDERS[kind]({item}, name, beside, child, {out})")
