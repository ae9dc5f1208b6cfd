"""Rules on sentences: each rests on a statement of its element, or makes no clinical claim."""

from collections.abc import Iterator

from carepath.authoring.lint.roots import root_has
from carepath.authoring.sentences import (
    WITHOUT_STATEMENT,
    Sentence,
    Source,
    is_sentence_system,
    sentences_of,
    sources_by_sentence,
)
from carepath.authoring.statements import statements_of
from carepath.issues import Issue
from carepath.knowledge import Knowledge
from carepath.resources import Resource


def rest_on_statements(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Each sentence has a statement that its element cites, where the root lists sentences."""
    if not root_has(definition, knowledge, is_sentence_system):
        return
    listed = knowledge.derived(sources_by_sentence)
    for sentence in sentences_of(definition):
        text = _problem(sentence, listed.get(sentence.words))
        if text:
            yield Issue("error", "business-rule", text, (sentence.path,))


def are_in_use(definition: Resource, knowledge: Knowledge) -> Iterator[Issue]:
    """Each listed sentence stands in the content, and what is said of it can be read."""
    if not is_sentence_system(definition):
        return
    statements = knowledge.derived(statements_of)
    used = {
        sentence.words
        for resource_type in ("PlanDefinition", "ActivityDefinition")
        for other in knowledge.all(resource_type)
        for sentence in sentences_of(other)
    }
    listed = knowledge.derived(sources_by_sentence)
    for index, concept in enumerate(definition.get("concept") or ()):
        words = concept.get("code")
        if words in listed:
            for text in _entry_problems(words, listed[words], used, statements):
                yield Issue("error", "business-rule", text, (f"CodeSystem.concept[{index}]",))


def _problem(sentence: Sentence, source: Source | None) -> str | None:
    """Return what is wrong with a sentence of the content, or None."""
    if source is None:
        return f"No statement is given for the sentence `{sentence.words}`."
    if source.kind:
        if sentence.text in WITHOUT_STATEMENT.get(source.kind, ()):
            return None
        return (
            f"The sentence `{sentence.words}` is marked as {source.kind}, "
            f"which cannot stand in a {sentence.text}."
        )
    if sentence.cited.isdisjoint(source.statements):
        named = ", ".join(source.statements)
        return f"The sentence `{sentence.words}` rests on {named}, which its element does not cite."
    return None


def _entry_problems(
    words: str, source: Source, used: set[str], statements: dict[str, Resource]
) -> Iterator[str]:
    """Yield what is wrong with one entry of the list."""
    if words not in used:
        yield f"The sentence `{words}` stands in no plan and no activity."
    if bool(source.kind) == bool(source.statements):
        yield f"The sentence `{words}` needs either statements or a kind."
    if source.kind and source.kind not in WITHOUT_STATEMENT:
        yield f"There is no kind `{source.kind}` of sentence."
    for name in source.statements:
        if name not in statements:
            yield f"There is no statement `{name}`."
