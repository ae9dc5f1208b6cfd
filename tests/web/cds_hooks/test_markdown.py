"""Texts on a card: what a record says is shown, and never becomes markup."""

import pytest

from carepath.web.cds_hooks.markdown import bullets, cut, escaped, link

ZERO = "&#8203;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two words", "two words"),
        ("3.4 cm (2026-08-20)", "3.4 cm (2026-08-20)"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[click](https://evil.example)", rf"\[click\](https{ZERO}://evil.example)"),
        ("![x](//evil.example/x.png)", r"!\[x\](//evil.example/x.png)"),
        ("www.evil.example", f"www{ZERO}.evil.example"),
        ("a@evil.example", r"a\@evil.example"),
        ("**bold** _and_ `code`", r"\*\*bold\*\* \_and\_ \`code\`"),
        ("a\n\n# b\n- c", r"a \# b - c"),
        ("- item", f"{ZERO}- item"),
        ("1. item", f"{ZERO}1. item"),
        ("1.5 cm", "1.5 cm"),
        ("a | b", r"a \| b"),
        ("&lt;", r"\&lt;"),
        ("back\\slash", r"back\\slash"),
        ("", ""),
    ],
)
def test_a_text_stays_a_text(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_a_link_is_ours() -> None:
    assert link("S1-1]", "https://here/x") == r"[S1-1\]](https://here/x)"
    assert bullets(["a", "b"]) == "- a\n- b"


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("short", 5, "short"),
        ("shorter", 6, "short\u2026"),
        ("a b  c", 4, "a b\u2026"),
        ("a\nb", 9, "a b"),
    ],
)
def test_a_summary_has_a_bound(text: str, most: int, expected: str) -> None:
    assert cut(text, most) == expected
    assert len(cut(text, most)) <= most
