"""Words that several rules use: what an author probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.75


def meant(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean ...?` where some known name is much like this one, else nothing."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=_ALIKE)
    return f" Did you mean `{near[0]}`?" if near else ""


def enumerated(names: Iterable[str]) -> str:
    """Return names as a list in words, in their order; `none` when there are none."""
    return ", ".join(f"`{name}`" for name in names) or "none"
