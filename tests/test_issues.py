"""Issues: what they quote can be written in every format."""

import pytest

from carepath.formats import xml as xml_codec
from carepath.issues import Issue, operation_outcome


@pytest.mark.parametrize("odd", ["\0", "\x01", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(odd: str) -> None:
    issue = Issue("error", "value", f"The subject `{odd}` is not here.", (f"Patient.{odd}",))
    outcome = operation_outcome([issue])
    assert outcome["issue"][0]["diagnostics"] == "The subject `\ufffd` is not here."
    assert outcome["issue"][0]["expression"] == ["Patient.\ufffd"]
    assert xml_codec.decode(xml_codec.encode(outcome)) == outcome


def test_other_text_stays_as_it_is() -> None:
    text = "Größe: 3 µm\t\r\n\u200b\U0001f600"
    assert Issue("error", "value", text).as_element()["diagnostics"] == text
