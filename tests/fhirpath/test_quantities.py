"""Units: exact by the table, by the library beyond it, and never by guessing."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest

from carepath.fhirpath.values.quantity import Quantity, comparable, compare_quantities, converted
from carepath.fhirpath.values.units import unit_of


@pytest.mark.parametrize(
    ("code", "factor", "dimensions"),
    [
        ("mm", "1/1000", (("m", 1),)),
        ("cm2", "1/10000", (("m", 2),)),
        ("mg/dL", "10", (("g", 1), ("m", -3))),
        ("kg/m2", "1000", (("g", 1), ("m", -2))),
        ("mm[Hg]", "133322", (("g", 1), ("m", -1), ("s", -2))),
        ("10*9/L", "1000000000000", (("m", -3),)),
        ("/min", "1/60", (("s", -1),)),
        ("mL/min/{1.73_m2}", "1/60000000", (("m", 3), ("s", -1))),
        ("{score}", "1", ()),
        ("%", "1/100", ()),
        ("1", "1", ()),
        ("[in_i]", "127/5000", (("m", 1),)),
        ("ug/(kg.d)", "1/86400000000000", (("s", -1),)),
        ("m.s-2", "1", (("m", 1), ("s", -2))),
    ],
)
def test_units_of_the_table(code: str, factor: str, dimensions: tuple[object, ...]) -> None:
    unit = unit_of(code)
    assert unit is not None
    expected = Fraction(factor) if "ug/" not in code else Fraction("1e-9") / 86400
    assert (unit.factor, unit.dimensions) == (expected, dimensions)


@pytest.mark.parametrize("code", ["", "cm cm", "furlong", "(cm", "cm)", "0", "xm", "m^2", "é"])
def test_what_is_no_unit(code: str) -> None:
    assert unit_of(code) is None


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        ("4.5", "cm", "mm", "45"),
        ("37", "Cel", "K", "310.15"),
        ("98.6", "[degF]", "Cel", "37"),
        ("1", "[lb_av]", "kg", "0.45359237"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
    ],
)
def test_conversion_is_exact(value: str, unit: str, to: str, expected: str) -> None:
    assert converted(Quantity(Decimal(value), unit), to) == Decimal(expected)


def test_the_library_knows_the_rest() -> None:
    assert comparable(Quantity(Decimal(1), "dyn"), Quantity(Decimal(1), "N"))
    assert compare_quantities(Quantity(Decimal(100000), "dyn"), Quantity(Decimal(1), "N")) == 0
    assert compare_quantities(Quantity(Decimal(1), "[acr_us]"), Quantity(Decimal(1), "m2")) == 1


def test_the_library_is_loaded_only_for_a_unit_outside_the_table() -> None:
    code = (
        "import sys; from carepath.fhirpath.values.units import unit_of; unit_of('mm[Hg]');"
        "assert 'pint' not in sys.modules; unit_of('dyn'); assert 'pint' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
