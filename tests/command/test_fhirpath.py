"""The command `carepath fhirpath`."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from carepath.command.fhirpath import fhirpath

RESOURCES = Path(__file__).parents[1] / "fhirpath" / "resources"
BUNDLE, SIZE = str(RESOURCES / "bundle.json"), str(RESOURCES / "size.json")


def ran(*arguments: str, input: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(fhirpath, arguments, input=input)
    return result.exit_code, result.output


def test_values_are_shown_with_their_types() -> None:
    assert ran("value.value | status", SIZE) == (0, "decimal  72\ncode     'final'\n")
    assert ran("value.ofType(string)", SIZE) == (0, "{ }\n")
    assert ran("1 + 1") == (0, "System.Integer  2\n")


def test_values_as_json() -> None:
    assert ran("--json", "value.unit | value.value", SIZE) == (0, '["mm",72]\n')


def test_tree() -> None:
    assert ran("--ast", "name.where(use = 'old')") == (
        0,
        "Call where\n  Member name\n  Binary =\n    Member use\n    Literal 'old' : String\n",
    )


def test_trace_names_resource_and_element() -> None:
    code, text = ran("--trace", "entry.resource.ofType(Observation).value.ofType(Quantity)"
                     ".exists($this > 71 'mm')", BUNDLE)  # fmt: skip
    assert (code, text.splitlines()) == (
        0,
        ["System.Boolean  true", "rests on:", "  Observation/size  Observation.value"],
    )


def test_variables_and_moment() -> None:
    arguments = ("--var", "limit=5 'cm'", "--now", "2026-03-31T09:15:00+04:00")
    assert ran(*arguments, "value > %limit", SIZE) == (0, "System.Boolean  true\n")
    assert ran(*arguments, "today()") == (0, "System.Date  2026-03-31\n")


def test_trace_function_is_shown() -> None:
    assert ran("value.unit.trace('unit')", SIZE) == (0, "trace unit: 'mm'\nstring  'mm'\n")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("1 +",), 1, "Expected an expression at column 4.\n  1 +\n     ^\n"),
        (("nothing()",), 1, "error: `nothing()` in `nothing()`: there is no function `nothing`.\n"),
        (("--check", "status.code", SIZE), 1, "error: `status.code` in `status.code`: FHIR.code"),
        ((), 2, "Usage: "),
        (("--repl",), 2, "Usage: "),
        (("--var", "x", "1"), 2, "Usage: "),
        (("--now", "2026-03-31", "1"), 2, "Usage: "),
    ],
)
def test_mistakes(arguments: tuple[str, ...], code: int, text: str) -> None:
    found, output = ran(*arguments)
    assert found == code
    assert output.startswith(text)


def test_one_after_another() -> None:
    lines = "value.value\n:let big value > 5 'cm'\n%big\n1 +\n:ast 1\n:trace status\n:what\n:quit\n"
    code, output = ran("--repl", SIZE, input=lines)
    assert code == 0
    assert output.splitlines() == [
        "decimal  72",
        "%big",
        "System.Boolean  true",
        "System.Boolean  true",
        "Expected an expression at column 4.",
        "  1 +",
        "     ^",
        "Literal 1 : Integer",
        "code  'final'",
        "rests on:",
        "  Observation/size  Observation.status",
        "there is no command :what; :help lists them",
    ]
