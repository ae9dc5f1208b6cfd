"""`Type {name: value}`: how an object that an expression makes is compiled.

https://build.fhir.org/ig/HL7/FHIRPath/#instance-selector
"""

from carepath.fhirpath.functions.making import new, with_element
from carepath.fhirpath.functions.row import Compiler
from carepath.fhirpath.functions.table import located
from carepath.fhirpath.nodes import Instance
from carepath.fhirpath.values.context import Context, Evaluator
from carepath.fhirpath.values.failure import Failure
from carepath.fhirpath.values.types import Item, Items, fhir_type, known_type


def instance(compiler: Compiler, node: Instance) -> Evaluator:
    """Compile the making of an object of FHIR; raises Failure for any other type."""
    type_ = fhir_type(node.type.removeprefix("FHIR."))
    known = known_type(f"FHIR.{type_.name}")
    if not known or type_.primitive or node.type.startswith("System."):
        raise Failure(f"`{node.type}` is no type whose objects have elements", (), node)
    elements = [(name, compiler.items(value)) for name, value in node.elements]

    def evaluate(context: Context, this: Item) -> Items:
        made = new(type_)
        for name, value in elements:
            items = value(context, this)
            try:
                made = with_element(made, type_, name, items)
            except Failure as failure:
                raise located(failure, node, items) from None
        return [(made, type_)]

    return evaluate
