"""Path steps, as closures.

https://hl7.org/fhirpath/#path-selection
"""

from carepath.fhirpath.values.access import ADDERS, Key
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.types import COMPLEX, PRIMITIVE, Item, Items


def step(inner: Evaluator, key: Key) -> Evaluator:
    """Return the evaluator for `inner.name`; the two common kinds are inlined for speed."""
    adders = ADDERS

    def evaluate(context: Context, this: Item) -> Items:
        out: Items = []
        for item in inner(context, this):
            kind, name, beside, child = item[1].members[key]
            if kind == COMPLEX:
                value = item[0].get(name)
                if type(value) is dict:
                    out.append((value, child))
                elif type(value) is list:
                    out += [(each, child) for each in value if type(each) is dict]
            elif kind == PRIMITIVE and beside not in item[0]:
                value = item[0].get(name)
                if type(value) is list:
                    out += [(each, child) for each in value if each is not None]
                elif value is not None:
                    out.append((value, child))
            elif kind:
                adders[kind](item, name, beside, child, out)
        return out

    return evaluate


def first_step(key: Key) -> Evaluator:
    """Return the evaluator for a path that starts with a member of `$this` or with its type."""
    may_be_type = isinstance(key, str) and key[:1].isupper()
    adders = ADDERS

    def evaluate(_: Context, this: Item) -> Items:
        type_ = this[1]
        if may_be_type and key in type_.ancestors:
            return [this]
        kind, property_, beside, child = type_.members[key]
        out: Items = []
        if kind == COMPLEX:
            value = this[0].get(property_)
            if type(value) is dict:
                out.append((value, child))
            elif type(value) is list:
                out += [(each, child) for each in value if type(each) is dict]
        elif kind:
            adders[kind](this, property_, beside, child, out)
        return out

    return evaluate
