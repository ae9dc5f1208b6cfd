"""A page for reviewers: each statement beside the sentences of the content that rest on it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from carepath.authoring.markdown import table_row
from carepath.authoring.sentences import Source, sources_by_sentence
from carepath.authoring.statements import statements_of
from carepath.knowledge import Knowledge
from carepath.resources import Resource

Lines = Mapping[str, Sequence[str]]

_HEAD = """# Statements and the sentences that rest on them

Made by `make statements`; do not edit. A statement is given in our words, with the line of its
source; beside it stand the sentences of rationales, messages, texts for patients and descriptions
that rest on it. `carepath lint` refuses a sentence that rests on none. To read them beside the
lines of the sources themselves: `tools/statements.py --sources DIR`.
"""
_KINDS = {
    "outline": "They say what a definition holds.",
    "record": "They say what the data say, lack or should say.",
    "house": "They say what this project decided because no source does.",
}


def statements_page(knowledge: Knowledge, sources: Lines | None = None) -> str:
    """Return the page as Markdown.

    `sources` holds the lines of each source by its name; with it the lines of a statement are
    shown in a column of their own. Raises KeyError for a source that is not given.
    """
    listed = sources_by_sentence(knowledge)
    parts = [_HEAD, *_statements(statements_of(knowledge), listed, sources), *_claimless(listed)]
    return "\n".join(parts)


def _statements(
    statements: Mapping[str, Resource], listed: Mapping[str, Source], sources: Lines | None
) -> Iterator[str]:
    resting: dict[str, list[str]] = defaultdict(list)
    for words, source in listed.items():
        for name in source.statements:
            resting[name].append(words)
    shown = ["the source says"] if sources is not None else []
    yield table_row(["statement", "line", "about", *shown, "sentences"])
    yield "|---" * (4 + len(shown)) + "|"
    for name, concept in statements.items():
        said = {part["code"]: part.get("valueString", "") for part in concept["property"]}
        texts = "<br>".join(resting[name])
        quoted = [_quoted(sources[said["source"]], said["line"])] if sources is not None else []
        yield table_row([name, said["line"], concept["display"], *quoted, texts])
    yield ""


def _claimless(listed: Mapping[str, Source]) -> Iterator[str]:
    yield "## Sentences that make no clinical claim\n"
    for kind, meaning in _KINDS.items():
        yield f"### {kind}\n\n{meaning}\n"
        yield from (f"- {words}" for words, source in listed.items() if source.kind == kind)
        yield ""


def _quoted(lines: Sequence[str], places: str) -> str:
    """Return the lines of a source that `places`, such as `4,126` or `110-112`, names."""
    numbers = [number for place in places.split(",") for number in _range(place)]
    return "<br>".join(lines[n - 1].strip() for n in numbers if lines[n - 1].strip())


def _range(place: str) -> Iterable[int]:
    first, _, last = place.strip().partition("-")
    return range(int(first), int(last or first) + 1)
