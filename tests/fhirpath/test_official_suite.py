"""The official FHIRPath suite for R4, whole and strictly compared."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ..suites import FHIRPATH_R4, FHIRPATH_R5, needs

ROOT = Path(__file__).parents[2]
SUITE = FHIRPATH_R4
NOT_OF_R4 = {
    **dict.fromkeys((f"testHasTemplateId{n}" for n in (1, 2, 3)), "the input is CDA and not FHIR"),
    **dict.fromkeys(("testPolymorphicsC", "testPolymorphicsD"), "they ask for a lenient mode"),
    "htmlTest01": "`div` is an operator: as a name it stands in backticks, says the grammar",
    "dvConceptMapExample": "`relationship` is new in R5, and refused when types are checked",
    "testMultipleResolve": "`DiagnosticReport.composition` is new in R5, and refused likewise",
}
"""Tests of the suite for R5 that do not apply to an engine for R4, and why."""
WITHOUT_TYPES = ("dvConceptMapExample", "testMultipleResolve")
"""Those of them that pass where the types of R4 are not checked."""


def suite_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "fhirpath_suite", ROOT / "tools/fhirpath_suite.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fhirpath_suite"] = module
    spec.loader.exec_module(module)
    return module


@needs(FHIRPATH_R5)
def test_all_of_the_suite_for_r5_passes_but_what_does_not_apply_to_r4() -> None:
    passed, by_kind = suite_tool().failures(FHIRPATH_R5)
    failed = {case.name for found in by_kind.values() for case, _ in found}
    assert (passed, failed) == (1055, NOT_OF_R4.keys())


@needs(FHIRPATH_R5)
def test_elements_of_r5_are_no_fault_where_types_are_not_checked() -> None:
    tool = suite_tool()
    inputs = tool.Inputs(FHIRPATH_R5)
    cases = [case for case in tool.cases(FHIRPATH_R5) if case.name in WITHOUT_TYPES]
    assert [tool.run(case._replace(check_types=False), inputs) for case in cases] == [None, None]


@needs(SUITE)
def test_every_test_of_the_official_suite_passes() -> None:
    tool = suite_tool()
    passed, by_kind = tool.failures(SUITE)
    assert list(tool.report(by_kind)) == []
    assert passed == 935


TINY = """<tests xmlns="http://hl7.org/fhirpath/tests" name="tiny"><group name="g">
<test name="good" inputfile="patient.xml"><expression>gender</expression>
  <output type="code">female</output></test>
<test name="type" inputfile="patient.xml"><expression>gender</expression>
  <output type="string">female</output></test>
<test name="value"><expression>1 + 1</expression><output type="integer">3</output></test>
<test name="count"><expression>1 | 2</expression><output type="integer">1</output></test>
<test name="order"><expression>1 | 2</expression>
  <output type="integer">2</output><output type="integer">1</output></test>
<test name="any order" ordered="false"><expression>1 | 2</expression>
  <output type="integer">2</output><output type="integer">1</output></test>
<test name="no error"><expression invalid="execution">1</expression></test>
<test name="an error"><expression invalid="syntax">1 +</expression></test>
<test name="unexpected"><expression>1 +</expression></test>
<test name="predicate" inputfile="patient.xml" predicate="true">
  <expression>name</expression><output type="boolean">true</output></test>
<test name="broken file" inputfile="broken.xml"><expression>1</expression></test>
<test name="as XML" inputfile="size.xml"><expression>value</expression>
  <output type="Quantity">7.2 'cm'</output></test>
<test name="terminology" inputfile="patient.xml" mode="tx"><expression>
  %terminologies.validateVS('http://hl7.org/fhir/ValueSet/administrative-gender', gender)
  .parameter.where(name = 'result').value</expression><output type="boolean">true</output></test>
<test name="moment"><expression>@2026T</expression><output type="dateTime">@2026T</output></test>
<test name="no such file" inputfile="nothing.xml"><expression>1</expression></test>
</group></tests>"""


SIZE = """<Observation xmlns="http://hl7.org/fhir"><status value="final"/>
<code><text value="size"/></code><valueQuantity><value value="72"/><unit value="mm"/>
<system value="http://unitsofmeasure.org"/><code value="mm"/></valueQuantity></Observation>"""


def test_the_runner_fails_what_should_fail(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "tests-tiny.xml").write_text(TINY, "utf-8")
    patient = '{"resourceType": "Patient", "gender": "female", "name": [{"family": "E"}]}'
    (tmp_path / "input" / "patient.json").write_text(patient, "utf-8")
    (tmp_path / "input" / "broken.xml").write_text("<Patient", "utf-8")
    (tmp_path / "input" / "size.xml").write_text(SIZE, "utf-8")
    passed, by_kind = suite_tool().failures(tmp_path)
    names = {kind: [case.name for case, _ in found] for kind, found in by_kind.items()}
    assert passed == 7
    assert names == {
        "type": ["type"],
        "value": ["value", "order"],
        "count": ["count"],
        "no execution error": ["no error"],
        "unexpected error": ["unexpected"],
        "input unreadable": ["broken file"],
        "input missing": ["no such file"],
    }
