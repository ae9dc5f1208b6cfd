"""What stands on a card beside its summary: reason, evidence, sources, and where to read more.

https://cds-hooks.hl7.org/2.0/#card-attributes and https://cds-hooks.hl7.org/2.0/#source
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from carepath.apply.page.sheet import Choice, Item, Question, Sheet, Told
from carepath.apply.run.step import Step
from carepath.resources import Resource, codings, concept_text
from carepath.web.cds_hooks.markdown import bullets, cut, escaped, link
from carepath.web.cds_hooks.suggestions import Json

_LABEL = 80
_MOST_TITLES = 20
_UNREVIEWED = "no clinician has reviewed this source"


class Details:
    """Writes the Markdown of the cards about one application."""

    def __init__(
        self, plan: Resource, sheet: Sheet, statements: Mapping[str, str], root: str
    ) -> None:
        """Take the statements by id, and where the pages of this service begin, empty for none."""
        self._plan = plan
        self._sheet = sheet
        self._statements = statements
        self._root = root

    def of_item(self, item: Item, step: Step) -> str:
        """Return the text of a step: what to do, why, who says so, where sources disagree."""
        lines = [escaped(_sentence(item.text))] if item.text else []
        if item.reasons:
            lines.append("**Because**\n" + bullets([_told(one) for one in item.reasons]))
        if item.sources:
            lines.append("**Sources**\n" + bullets(self._cited(item, step)))
        lines += [f"**Sources disagree:** {escaped(text)}" for text in self._notes(item.notes)]
        return self._closed(lines)

    def of_choice(self, choice: Choice) -> str:
        """Return the text of a choice: each way with its reason, and what closes the others."""
        lines = [escaped(choice.text)] if choice.text else []
        lines.append(bullets([_way(option) for option in choice.options]))
        lines += [f"**Sources disagree:** {escaped(text)}" for text in self._notes(choice.notes)]
        return self._closed(lines)

    def of_questions(self, questions: Sequence[Question]) -> str:
        """Return the text of what to record first: how, and what waits for it."""
        told = []
        for one in questions:
            line = f"**{escaped(one.label)}**"
            line += f": {escaped(one.recording)}" if one.recording else ""
            opens = "; ".join(one.opens[:_MOST_TITLES])
            told.append(f"{line} Opens: {escaped(opens)}." if opens else line)
        later = ", ".join(self._sheet.later_questions)
        lines = ["What is not recorded is not taken for a no.", bullets(told)]
        return self._closed([*lines, f"Later: {escaped(later)}"] if later else lines)

    def of_failures(self, items: Sequence[Item]) -> str:
        """Return the text of what could not be decided."""
        told = [f"**{escaped(item.title)}**: {escaped(item.text)}" for item in items]
        return self._closed([bullets(told[:_MOST_TITLES])])

    def of_rest(self, titles: Sequence[str]) -> str:
        """Return the text of what else the plan says."""
        return self._closed([bullets([escaped(title) for title in titles[:_MOST_TITLES]])])

    def source(self, step: Step | None, sources: Sequence[str]) -> Json:
        """Return who says so: the plan, with a link to the statement, and what it is about."""
        title = self._sheet.title
        label = f"{', '.join(sources[:2])}: {title}" if sources else title
        made: Json = {"label": cut(label, _LABEL)}
        place = self._page(step)
        if place:
            made["url"] = f"{place}#{_anchor(sources[0])}" if sources else place
        topic = _topic(step, self._plan)
        return made | ({"topic": topic} if topic else {})

    def links(self, step: Step | None) -> list[Json]:
        """Return where to read more: the page of the pathway that the step is of."""
        place = self._page(step)
        return [{"label": "The pathway", "url": place, "type": "absolute"}] if place else []

    def _page(self, step: Step | None) -> str:
        plan = step.plan if step is not None else str(self._plan["id"])
        return f"{self._root}/pathways/{plan}" if self._root else ""

    def _cited(self, item: Item, step: Step) -> list[str]:
        told = []
        for id_ in item.sources:
            place = self._page(step)
            name = link(id_, f"{place}#{_anchor(id_)}") if place else escaped(id_)
            text = self._statements.get(id_, "")
            told.append(f"{name}: {escaped(text)}" if text else name)
        return [*told, f"*{_UNREVIEWED}*"] if item.is_unreviewed else told

    def _notes(self, numbers: Sequence[int]) -> list[str]:
        return [self._sheet.footnotes[number - 1] for number in numbers]

    def _closed(self, lines: Sequence[str]) -> str:
        """Return paragraphs with what the plan says against being relied on behind them."""
        closing = [f"*{escaped(text)}*" for text in self._sheet.disclaimers]
        return "\n\n".join([*lines, *closing])


def _anchor(statement: str) -> str:
    """Return where a statement stands on the page of a pathway."""
    return f"statement-{quote(statement)}"


def _sentence(text: str) -> str:
    """Return a text that began behind its title as a sentence of its own."""
    return text[:1].upper() + text[1:]


def _told(one: Told) -> str:
    date = f" ({escaped(one.date)})" if one.date else ""
    evidence = f", {escaped(', '.join(one.evidence))}" if one.evidence else ""
    return f"{escaped(one.label)}: {escaped(one.value)}{date}{evidence}"


def _way(option: Item) -> str:
    if option.waits_for:
        known = ", ".join(option.waits_for)
        return f"*{escaped(option.title)}*, closed until known: {escaped(known)}"
    text = f": {escaped(option.text)}" if option.text else ""
    because = "; ".join(f"{one.label} is {one.value}" for one in option.reasons)
    sources = ", ".join(option.sources)
    reason = f" Because {escaped(because)}." if because else ""
    return f"**{escaped(option.title)}**{text}{reason}" + (f" ({sources})" if sources else "")


def _topic(step: Step | None, plan: Resource) -> Json:
    """Return what a card is about: the code of the action, else the topic of the plan."""
    concepts = list(step.action.source.get("code") or ()) if step is not None else []
    concepts += plan.get("topic") or ()
    for concept in concepts:
        for coding in codings(concept):
            if coding.get("code"):
                display = coding.get("display") or concept_text(concept)
                named = {"system": coding.get("system"), "code": coding["code"]}
                return {k: v for k, v in {**named, "display": display}.items() if v}
    return {}
