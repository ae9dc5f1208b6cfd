"""The code names no pathway, no fact of one and no statement: content is data."""

import re
from pathlib import Path

import carepath
from carepath.apply.compile.names import FACT
from carepath.knowledge import Knowledge

ROOT = Path(carepath.__file__).parent
KNOWLEDGE = Knowledge.shipped()
FACTS = {
    extension["valueExpression"]["name"]
    for library in KNOWLEDGE.all("Library")
    for extension in library.get("extension", ())
    if extension["url"] == FACT
}
# A name in two words is nobody else's; one in one word (`site`, `stage`) may be an element's too,
# but never behind a percent sign (where one letter is a format of time).
ELEMENTS = (ROOT / "r4/elements.json").read_text("utf-8")
TELLING = {
    name
    for name in FACTS
    if re.search("[A-Z]", name)
    and f'"{name}"' not in ELEMENTS
    and f'"{re.split("[A-Z]", name)[0]}[x]"' not in ELEMENTS
}
CLINICAL = re.compile(
    r"\bmst-|\bMst[A-Z]|\bS\d-\d\d\b|S\\d|sarcom|mesenchymom|"
    rf"%(?:{'|'.join(sorted(name for name in FACTS if len(name) > 1))})\b|"
    rf"\b(?:{'|'.join(sorted(TELLING))})\b"
)


def test_no_content_stands_in_the_code() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in sorted(ROOT.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for match in CLINICAL.finditer(line)
    ]
    assert found == []


def test_the_pattern_knows_content() -> None:
    assert len(TELLING) > 100
    for line in ('"mst-gist"', "S1-26", "%site = 'limb'", "treatmentCompleted"):
        assert CLINICAL.search(line), line
