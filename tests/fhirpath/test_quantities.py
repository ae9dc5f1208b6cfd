"""Units: exact by the table, by the library beyond it, and never by guessing."""

import subprocess
import sys
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepath.fhirpath.values.comparison import equal, equivalent
from carepath.fhirpath.values.identity import distinct
from carepath.fhirpath.values.quantity import (
    CALENDAR_UNITS,
    Quantity,
    comparable,
    compare_quantities,
    converted,
    in_base_units,
)
from carepath.fhirpath.values.quantity_arithmetic import product_of
from carepath.fhirpath.values.types import SYSTEM, Items
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


@pytest.mark.parametrize(
    "code", ["10*9999999", "10^-999999999", "m9999999", "s-99999999", "m.km999"]
)
def test_a_huge_power_is_no_unit_and_worked_out_by_nobody(code: str) -> None:
    assert unit_of(code) is None


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


UNITS = st.sampled_from(
    ["mm", "cm", "m", "kg", "g", "mg", "L", "mL", "mg/dL", "g/L", "mg/kg", "/min", "kg/m2",
     "mmol/L", "10*9/L", "%", "{score}", "ug/(kg.d)", "h", "1", "dyn"]
)  # fmt: skip
DURATIONS = st.sampled_from(sorted(set(CALENDAR_UNITS.values())))
VALUES = st.decimals(1, 1000, places=1)
QUANTITIES = st.builds(Quantity, VALUES, UNITS) | st.builds(
    Quantity, VALUES, DURATIONS, st.just(True)
)


def _of(quantity: Quantity) -> Items:
    return [(quantity, SYSTEM["Quantity"])]


@given(QUANTITIES, QUANTITIES)
def test_equality_and_equivalence_do_not_depend_on_the_side(
    left: Quantity, right: Quantity
) -> None:
    ours, theirs = _of(left), _of(right)
    assert equivalent(ours, theirs) is equivalent(theirs, ours)
    assert equal(ours, theirs) is equal(theirs, ours)
    assert equivalent(ours, theirs) or not equal(ours, theirs)


@given(QUANTITIES, QUANTITIES)
def test_what_is_equal_is_a_duplicate_and_nothing_else(left: Quantity, right: Quantity) -> None:
    both = _of(left) + _of(right)
    assert (len(distinct(both)) == 1) is (equal(both[:1], both[1:]) is True)


@given(
    st.builds(Quantity, VALUES, UNITS), st.builds(Quantity, VALUES, UNITS), st.sampled_from((1, -1))
)
def test_a_product_is_worth_what_its_parts_are(one: Quantity, other: Quantity, sign: int) -> None:
    found = product_of(one, other, sign)
    bases = [in_base_units(each) for each in (one, other, found or one)]
    (ours, ours_of), (theirs, theirs_of), (product, product_of_) = filter(None, bases)
    assert found is not None
    assert float(product) == pytest.approx(float(ours * theirs**sign), rel=1e-12)
    powers = Counter(dict(ours_of))
    for name, power in theirs_of:
        powers[name] += sign * power
    assert dict(product_of_) == {name: power for name, power in powers.items() if power}


@given(st.builds(Quantity, VALUES, UNITS), st.builds(Quantity, VALUES, UNITS))
def test_what_is_multiplied_with_is_divided_by(one: Quantity, other: Quantity) -> None:
    product = product_of(one, other, 1)
    assert product is not None
    again = product_of(product, other, -1)
    assert again is not None
    assert float(_worth(again)) == pytest.approx(float(_worth(one)), rel=1e-12)


def _worth(quantity: Quantity) -> Fraction:
    base = in_base_units(quantity)
    assert base is not None
    return base[0]
