"""A row of the function table: all that is known of one function stands in it.

https://hl7.org/fhirpath/#functions

The compiler, the writer of quick forms, tracing, the static check and whoever else reads
expressions ask the row, so that a function is added in one place.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from carepath.fhirpath.nodes import Ast, Call, Member
from carepath.fhirpath.values.access import Key
from carepath.fhirpath.values.context import Evaluator, Truth
from carepath.fhirpath.values.types import Items

_T = TypeVar("_T")


class Compiler(Protocol):
    """What a row asks of that which compiles a call to closures."""

    traced: bool
    paths: bool
    indexed: bool

    def source(self, node: Call | Member) -> Evaluator:
        """Compile what a function is applied to."""

    def items(self, node: Ast) -> Evaluator:
        """Compile an argument that gives a collection."""

    def truth(self, node: Ast) -> Truth:
        """Compile an argument that is a condition."""

    def in_loop(self, compile_: Callable[[Ast], _T], node: Ast) -> _T:
        """Compile an argument that is evaluated again and again."""

    def member(self, node: Member, key: Key) -> Evaluator:
        """Compile a path step."""

    def unobserved_items(self, node: Ast) -> Evaluator:
        """Compile a part of a traced expression whose own evidence does not matter."""

    def unobserved_truth(self, node: Ast) -> Truth:
        """Compile a condition of a traced expression whose own evidence does not matter."""


class Writer(Protocol):
    """What a row asks of that which writes a call as Python.

    The written lines may use `context`, `EMPTY`, `len`, `list`, `dict` and `bool`; whatever else
    they need is a `constant`.
    """

    def source(self, node: Call, this: str) -> str:
        """Write what a function is applied to; return the name that holds it."""

    def items(self, node: Ast, this: str) -> str:
        """Write what gives a collection."""

    def truth(self, node: Ast, this: str) -> str:
        """Write what gives True, False or None."""

    def text(self, node: Ast, this: str) -> str:
        """Write what gives one text or None."""

    def closure(self, node: Ast, this: str) -> str:
        """Write a call of the closure of a part."""

    def member(self, node: Member, this: str, key: Key) -> str:
        """Write a path step."""

    def inner(self, node: Ast) -> Any:
        """Return a function of its own for a part."""

    def spend(self, source: str) -> None:
        """Write the count of the items that a loop looks at."""

    def line(self, text: str) -> None:
        """Write one statement."""

    def fresh(self, letter: str) -> str:
        """Return a name that nothing has yet."""

    def constant(self, value: Any) -> str:
        """Return the name under which the function finds a value."""

    def put(self, letter: str, expression: str) -> str:
        """Write an assignment to a fresh name and return the name."""

    def block(self, header: str) -> AbstractContextManager[None]:
        """Write a compound statement."""

    def loop(self, items: str) -> AbstractContextManager[str]:
        """Write a loop and give the name of its item."""


class Argument(NamedTuple):
    """How an argument is evaluated: what `$this` is in it, and what it has to be."""

    on: Literal["call", "each", "input", "nothing"]
    """`$this` as it is around the call, each item of the input, the input as a whole; or the
    argument is not evaluated but names a type."""
    is_condition: bool = False
    is_value_set: bool = False
    """Whether it is the canonical of a ValueSet."""


VALUE = Argument("call")
VALUE_SET = Argument("call", is_value_set=True)
EACH = Argument("each")
HOLDS = Argument("each", is_condition=True)
WITHIN = Argument("input")
HOLDS_WITHIN = Argument("input", is_condition=True)
TYPE = Argument("nothing")
MANY_ARGUMENTS = 100
"""The most that any function takes."""


class Result(NamedTuple):
    """What is known of what a function gives, whatever the data."""

    type: str = ""
    """The full name of its type, where it is always the same."""
    of: Literal["nothing", "items", "below", "targets", "arguments", "repeated", "both"] = "nothing"
    """Of what it consists: values of its own, items of the input as they are, elements of the
    items, resources that they refer to, what the arguments give, what they give when applied again
    and again, or the items of input and arguments."""
    is_ordered: bool = True
    is_single: bool = False
    """Whether it is one item at most, however many the input has."""


COMPUTED = Result()
ITEMS = Result(of="items")
ITEM = Result(of="items", is_single=True)
A_BOOLEAN = Result("System.Boolean")
A_STRING = Result("System.String")
AN_INTEGER = Result("System.Integer")

Build = Callable[[Compiler, Call], Evaluator]
BuildTruth = Callable[[Compiler, Call], Truth]
Operate = Callable[..., Items]
Emit = Callable[[Writer, Call, str], str]


class Written(NamedTuple):
    """How a call is written as Python, in each form there is, and for how many arguments.

    A function written as `truth` alone gives booleans, one written as `text` alone strings.
    """

    items: Emit | None = None
    truth: Emit | None = None
    text: Emit | None = None
    least: int = 0
    most: int = MANY_ARGUMENTS
    stands_alone: bool = False
    """Whether it is written like this only where nothing stands before it."""

    def takes(self, node: Call) -> bool:
        """Tell whether a call can be written like this."""
        fits = self.least <= len(node.arguments) <= self.most
        return fits and (node.source is None or not self.stands_alone)


class Function(NamedTuple):
    """One row."""

    build: Build
    """How a call is compiled."""
    arguments: tuple[Argument, ...] = ()
    least: int = 0
    """How many of the arguments there have to be."""
    gives: Result = COMPUTED
    operate: Operate | None = None
    """What a function does whose arguments are collections: `operate(context, items, *them)`."""
    truth: BuildTruth | None = None
    """How a call is compiled to True, False or None, where that saves making a collection."""
    written: Written | None = None
    """How a call is written in the quick form; without it `operate` or the closure is called."""
    needs_order: bool = False
    """Whether it relies on the order of its input."""
    on_text: bool = False
    """Whether it applies to a string only."""
    stands_alone: bool = False
    """Whether, with nothing before it, it looks at its arguments only and not at `$this`."""
    follows: bool = False
    """Whether it follows references, and so has to know which resources are in hand."""
    needs_places: bool = False
    """Whether it asks where its items stand: then the whole expression is traced."""
    effect: Literal["", "scope", "heard"] = ""
    """What it does beside giving its result: it defines a variable, or somebody is told."""

    def takes(self, count: int) -> bool:
        """Tell whether the function may be called with so many arguments."""
        return self.least <= count <= self.most

    @property
    def most(self) -> int:
        """How many arguments there may be."""
        return len(self.arguments)

    @property
    def arity(self) -> str:
        """How many arguments, in words for a message."""
        if self.least == self.most:
            return f"{self.least} argument{'' if self.least == 1 else 's'}"
        return f"{self.least} to {self.most} arguments"

    @property
    def only_chooses(self) -> bool:
        """Whether it gives items of its input and does nothing else."""
        return self.gives.of == "items" and not self.effect

    def written_for(self, node: Call) -> Written | None:
        """Return how a call is written, None where the closure has to do."""
        fits = self.written is not None and self.takes(len(node.arguments))
        return self.written if fits and self.written and self.written.takes(node) else None


Table = Mapping[str, Function]
