"""The code lists: every code verified, in order, in one place; and the tool that writes them."""

import json
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydicom.sr.codedict import Collection

ROOT = Path(__file__).parents[2]
# The tools are not installed; they are imported from the root, as `python -m` does.
sys.path.append(str(ROOT))
command = import_module("tools.code_lists.__main__")
lists = import_module("tools.code_lists.rows")
sources = import_module("tools.code_lists.sources")
sets = import_module("tools.code_lists.value_sets")

SNOMED = "http://snomed.info/sct"
ICD_O_3 = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
PRESENT = command.read(command.VALUE_SETS)
ROWS = lists.read_rows()
SITES = sorted(
    url.rpartition("/mst-site-")[2].removesuffix("-vs")
    for include in PRESENT["mst-site-vs"]["compose"]["include"]
    for url in include["valueSet"]
)


def codes(name: str) -> set[tuple[str, str]]:
    """Return system and code of everything that a value set holds, joined sets included."""
    resource = PRESENT[sets.resource_id(name)]
    waiting, found = [resource], set()
    while waiting:
        for include in waiting.pop()["compose"]["include"]:
            found |= {(include["system"], c["code"]) for c in include.get("concept") or ()}
            waiting += [PRESENT[url.rpartition("/")[2]] for url in include.get("valueSet") or ()]
    return found


def sites_of(system: str, code: str) -> list[str]:
    """Return the sites that a code names."""
    return [site for site in SITES if (system, code) in codes(f"site-{site}")]


def test_the_value_sets_say_what_the_rows_say() -> None:
    assert sorted(command.outdated(command.VALUE_SETS)) == []


def test_pydicom_knows_every_code_that_names_it_as_a_source() -> None:
    assert list(sources.unverified(ROWS, {"pydicom": sources.pydicom_names()})) == []


def test_every_managed_set_is_in_order_and_lists_nothing_twice() -> None:
    for name in {row.value_set for row in ROWS}:
        for identifier in {sets.resource_id(name), sets.resource_id(name, affiliate=True)}:
            includes = PRESENT.get(identifier, {"compose": {"include": []}})["compose"]["include"]
            systems = [include["system"] for include in includes if "system" in include]
            assert len(systems) == len(set(systems)), identifier
            for include in includes:
                listed = [concept["code"] for concept in include.get("concept") or ()]
                assert all(a < b for a, b in pairwise(listed)), identifier


@pytest.mark.parametrize(
    ("system", "code", "sites"),
    [
        (SNOMED, "40983000", ["upper-limb"]),
        (SNOMED, "368209003", ["upper-limb"]),
        (SNOMED, "7569003", ["upper-limb"]),
        (SNOMED, "91470000", ["upper-limb"]),
        (SNOMED, "30021000", ["lower-limb"]),
        (SNOMED, "53840002", ["lower-limb"]),
        (SNOMED, "61396006", ["lower-limb"]),
        (SNOMED, "29707007", ["lower-limb"]),
        (SNOMED, "71341001", ["lower-limb"]),
        (SNOMED, "89545001", ["head-neck"]),
        (SNOMED, "41695006", ["head-neck"]),
        (SNOMED, "76752008", ["trunk"]),
        (SNOMED, "1142228004", ["trunk"]),
        (SNOMED, "113345001", ["abdomen"]),
        (SNOMED, "818981001", ["abdomen"]),
        (SNOMED, "15776009", ["abdomen"]),
        (SNOMED, "12921003", ["pelvis"]),
        (SNOMED, "64033007", ["retroperitoneum"]),
        (SNOMED, "80891009", ["thorax"]),
        (SNOMED, "64131007", ["retroperitoneum", "vessel"]),
        (SNOMED, "7657000", ["lower-limb", "vessel"]),
        (ICD_O_3, "C44.4", ["head-neck"]),
        (ICD_10_CM, "C64.2", ["retroperitoneum"]),
        # A region that holds several sites names none of them.
        (SNOMED, "818982008", []),
        (SNOMED, "38266002", []),
        # The brain is no site of the pathway.
        (SNOMED, "12738006", []),
    ],
)
def test_a_body_site_is_in_the_sets_of_where_it_is(
    system: str, code: str, sites: list[str]
) -> None:
    assert sites_of(system, code) == sorted(sites)


def test_a_vessel_is_in_one_more_set_at_most() -> None:
    """The fact `site` drops the vessel for the region; with two regions it would know nothing."""
    named = {(s, c): sites_of(s, c) for s, c in codes("site-vessel")}
    vague = {"abdomen", "pelvis", "trunk"}
    assert {
        code: sites for code, sites in named.items() if len(sites) > 2 or vague.intersection(sites)
    } == {}


def test_the_common_regions_of_dicom_are_placed() -> None:
    placed = {code for name in (*SITES, "broad") for _, code in codes(f"site-{name}")}
    common = Collection("CID4031").concepts.values()
    assert {c.value: c.meaning for c in common if c.value not in placed} == {
        "361078006": "Internal Auditory Canal",
        "55024004": "Optic canal",
        "110621006": "Pancreatic duct and bile duct systems",
        "706342009": "Phantom",
        "42575006": "Sella turcica",
        "110517009": "Vertebral column and cranium",
    }


@pytest.mark.parametrize(("side", "qualifier"), [("left", "7771000"), ("right", "24028007")])
def test_every_site_that_names_a_side_is_in_the_set_of_that_side(side: str, qualifier: str) -> None:
    named = {
        (row.system, row.code)
        for row in ROWS
        if row.value_set.startswith("site-") and side in row.name.lower().split()
    }
    listed = {(system, code) for system, code in codes(f"side-{side}") if system == SNOMED}
    assert listed == named | {(SNOMED, qualifier)}


def test_no_code_is_of_both_sides() -> None:
    assert codes("side-left") & codes("side-right") == set()


@pytest.mark.parametrize(
    ("side", "diagnoses"),
    [
        ("right", ["C49.11", "C49.21", "C40.01", "C47.11", "C76.41", "R22.31", "R22.41", "R19.01"]),
        ("left", ["C49.12", "C49.22", "C40.02", "C47.12", "C76.42", "R22.32", "R22.42", "R19.02"]),
    ],
)
def test_diagnoses_name_a_side_too(side: str, diagnoses: list[str]) -> None:
    assert {(ICD_10_CM, code) for code in diagnoses} <= codes(f"side-{side}")


def test_the_regions_around_the_sites_are_the_broad_regions() -> None:
    assert set().union(*(codes(f"around-{site}") for site in SITES)) == codes("site-broad")


@pytest.mark.parametrize(
    ("region", "inside"),
    [
        ("38266002", SITES),
        ("818981001", ["abdomen", "gi-tract", "retroperitoneum"]),
        ("818982008", ["abdomen", "gi-tract", "pelvis", "retroperitoneum", "uterus"]),
        ("12921003", ["pelvis", "uterus"]),
        ("61685007", ["lower-limb"]),
        ("66019005", ["lower-limb", "upper-limb"]),
        ("774007", ["head-neck"]),
        # An organ or a part is no region around anything.
        ("69695003", []),
        ("68367000", []),
    ],
)
def test_a_region_is_around_what_it_contains(region: str, inside: list[str]) -> None:
    assert [site for site in SITES if (SNOMED, region) in codes(f"around-{site}")] == inside


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("8811/3", "sts"),
        ("8714/3", "sts"),
        ("8963/3", "sts"),
        ("9043/3", "sts"),
        ("9231/3", "sts"),
        ("9251/3", "sts"),
        ("9252/3", "sts"),
        ("8857/3", "liposarcoma"),
        ("9365/3", "ewing"),
    ],
)
def test_a_sarcoma_morphology_is_in_one_type(code: str, kind: str) -> None:
    types = ("sts", "liposarcoma", "leiomyosarcoma", "rhabdomyosarcoma", "ewing", "gist")
    assert [name for name in types if (ICD_O_3, code) in codes(name)] == [kind]


@pytest.mark.parametrize("code", ["9140/3", "9180/3", "9220/3", "9050/3", "8940/3", "8964/3"])
def test_what_is_no_soft_tissue_sarcoma_is_in_no_type(code: str) -> None:
    assert (ICD_O_3, code) not in codes("mesenchymal-tumour")


def test_the_set_of_any_metastasis_holds_all_of_them() -> None:
    places = ["lung", "liver", "bone", "lymph-node", "retroperitoneum", "soft-tissue", "other"]
    assert codes("metastasis-any") == set().union(*(codes(f"metastasis-{p}") for p in places))


@pytest.mark.parametrize("removal", ["excision", "organ-resection", "metastasectomy"])
def test_what_removes_nothing_is_no_removal(removal: str) -> None:
    assert codes("not-removal") & codes(removal) == set()


def test_an_excisional_biopsy_may_have_removed_the_tumour() -> None:
    assert codes("not-removal") & codes("open-biopsy") == set()


# The tool itself, on small lists.

HEADINGS = {"thing": lists.Heading("Thing", "Codes of a thing.", ("other",))}
FREE = lists.Row("thing", SNOMED, "22943007", "Trunk", ("snomed-intl-gps",), "Trunk structure")
LICENSED = lists.Row("thing", SNOMED, "113345001", "Abdomen", ("pydicom",), "Abdominal structure")


def include(*listed: tuple[str, str]) -> dict[str, Any]:
    """Return an include of SNOMED CT codes with labels."""
    return {"system": SNOMED, "concept": [{"code": c, "display": d} for c, d in listed]}


def joined(identifier: str) -> dict[str, Any]:
    """Return the include of another set."""
    return {"valueSet": [f"https://carepath.example/fhir/ValueSet/{identifier}"]}


def composed(resources: dict[str, Any]) -> dict[str, Any]:
    """Return what some sets list, by id."""
    return {key: resource["compose"]["include"] for key, resource in resources.items()}


def test_codes_that_need_a_licence_stand_in_a_set_of_their_own() -> None:
    made = sets.updated({}, [LICENSED, FREE], HEADINGS)
    assert composed(made) == {
        "mst-thing-vs": [
            include(("22943007", "Trunk")),
            joined("mst-other-vs"),
            joined("mst-thing-snomed-affiliate-vs"),
        ],
        "mst-thing-snomed-affiliate-vs": [include(("113345001", "Abdomen"))],
    }
    part = made["mst-thing-snomed-affiliate-vs"]
    assert part["title"] == "Thing (SNOMED CT outside the Global Patient Set)"
    assert part["description"] == (
        "Codes of a thing: the SNOMED CT codes that need an affiliate licence."
    )


def test_writing_again_changes_nothing() -> None:
    made = sets.updated({}, [LICENSED, FREE], HEADINGS)
    assert sets.updated(made, [LICENSED, FREE], HEADINGS) == made


def test_labels_that_are_there_stay_and_codes_move_to_where_they_belong() -> None:
    made = sets.updated({}, [LICENSED], HEADINGS)
    part = made["mst-thing-snomed-affiliate-vs"]["compose"]["include"][0]["concept"]
    part += [{"code": "22943007", "display": "In the wrong part"}]
    renamed = lists.Row("thing", SNOMED, "113345001", "Belly", ("pydicom",), "x")
    assert composed(sets.updated(made, [renamed, FREE], HEADINGS)) == {
        "mst-thing-vs": [
            include(("22943007", "Trunk")),
            joined("mst-other-vs"),
            joined("mst-thing-snomed-affiliate-vs"),
        ],
        "mst-thing-snomed-affiliate-vs": [include(("113345001", "Abdomen"))],
    }


def test_tells_what_a_source_does_not_know() -> None:
    known = {"pydicom": {"113345001": frozenset({"Arm", "Upper arm"})}}
    unknown = lists.Row("thing", SNOMED, "1", "Thing", ("pydicom",), "Thing")
    assert list(sources.unverified([LICENSED, unknown, FREE], known)) == [
        "thing: pydicom calls `113345001` `Arm`, `Upper arm`, not `Abdominal structure`.",
        "thing: pydicom does not know `1` (Thing).",
    ]


def test_reads_the_names_of_a_value_set_without_semantic_tags(tmp_path: Path) -> None:
    file = tmp_path / "gps.json"
    listed = include(("22943007", "Trunk structure (body structure)"))
    file.write_text(
        json.dumps({"resourceType": "ValueSet", "id": "gps", "compose": {"include": [listed]}})
    )
    assert sources.value_set_names(file) == ("gps", {"22943007": frozenset({"Trunk structure"})})


def test_refuses_a_package_file_that_holds_no_value_set(tmp_path: Path) -> None:
    file = tmp_path / "patient.json"
    file.write_text('{"resourceType": "Patient"}')
    with pytest.raises(ValueError, match=r"^patient\.json is no ValueSet\.$"):
        sources.value_set_names(file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\tsct\t1", "codes.tsv, line 2: expected 6 cells."),
        (
            "a\tcpt\t1\tLabel\tsource\t",
            "codes.tsv, line 2: `cpt` is no code system of these lists.",
        ),
        (
            "a\tsct\t1\tLabel\t\tname",
            "codes.tsv, line 2: `1` names no source, nobody has verified it.",
        ),
    ],
)
def test_says_which_line_cannot_be_read(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "codes.tsv").write_text(f"set\tsystem\tcode\tlabel\tsources\tname\n{line}\n")
    with pytest.raises(ValueError) as caught:
        lists.read_rows(tmp_path)
    assert str(caught.value) == message
