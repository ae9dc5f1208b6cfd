"""The plan as a clinician reads it, top to bottom: what is proposed and why, what cannot be told.

https://hl7.org/fhir/R4/narrative.html

Plain XHTML with everything escaped: headings, paragraphs, lists.  No links, no styles, no script.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from carepath.apply.compile.compiled import CompiledAction, CompiledPlan
from carepath.apply.explain.because import because
from carepath.apply.run.step import MET, NOT_MET, UNDETERMINED, Step

XHTML = "http://www.w3.org/1999/xhtml"


def narrative(plan: CompiledPlan, steps: Sequence[Step], notes: Iterable[str]) -> dict[str, str]:
    """Return the Narrative of an application; `notes` are the notices shown before all else."""
    parts = [f'<div xmlns="{XHTML}"><h2>{escape(plan.title or plan.canonical)}</h2>']
    parts += [f"<p>{escape(note)}</p>" for note in notes]
    parts += _proposals(steps)
    parts += _undetermined(steps)
    count = sum(step.outcome == NOT_MET for step in steps)
    if count:
        what = "One further step was" if count == 1 else f"{count} further steps were"
        verb = "does" if count == 1 else "do"
        parts.append(f"<p>{what} considered and {verb} not apply.</p>")
    parts.append("</div>")
    return {"status": "generated", "div": "".join(parts)}


def _proposals(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the actions that apply, nested as in the plan, without groups that hold nothing."""
    shown = _with_content(steps)
    if not shown:
        yield "<p>Nothing is proposed.</p>"
        return
    yield "<h3>Proposed</h3>"
    depth = -1
    for step in shown:
        if step.depth > depth:
            yield "<ul>" * (step.depth - depth)
        else:
            yield "</li>" + "</ul></li>" * (depth - step.depth)
        depth = step.depth
        yield _item(step)
    yield "</li></ul>" * (depth + 1)


def _with_content(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that apply and propose something, or hold one that does."""
    kept: list[Step] = []
    needed = -1
    for step in reversed(steps):
        if step.outcome != MET:
            continue
        if step.action.is_leaf or step.request is not None or step.depth < needed:
            kept.append(step)
            needed = step.depth
        elif step.depth <= needed:
            needed = step.depth
    kept.reverse()
    return kept


def _item(step: Step) -> str:
    """Return one action: title, kind, message, reason, sources, conflicts; the item stays open."""
    action = step.action
    head, tail = _fixed(action)
    if step.result is not None and action.action_values:
        head = f"<li><b>{escape(str(step.result.get('title') or action.title))}</b>"
    kind = f" ({step.request})" if step.request else ""
    return f"{head}{kind}{_message(step)}<p>{escape(because(step), quote=False)}</p>{tail}"


def _message(step: Step) -> str:
    """Return what the action tells the reader, as it was worked out for this patient.

    Groups tell nothing of their own: what they hold does.  A text that is the title stands once.
    """
    action = step.action
    if step.result is None or not (action.is_leaf or step.request):
        return ""
    text = str(step.result.get("textEquivalent") or "")
    if not text or text == str(step.result.get("title") or action.title):
        return ""
    return f"<p>{escape(text, quote=False)}</p>"


def _fixed(action: CompiledAction) -> tuple[str, str]:
    """Return the parts of an item that are the same for everybody; made once."""
    if action.markup is None:
        head = f"<li><b>{escape(action.title or action.key)}</b>"
        tail = [f"<p>Conflict: {escape(text)}</p>" for text in action.conflicts]
        if action.statements:
            tail.append(f"<p>Source: {escape(', '.join(action.statements))}</p>")
        action.markup = (head, "".join(tail))
    markup: tuple[str, str] = action.markup
    return markup


def _undetermined(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the actions that nobody can decide, with what is missing."""
    open_ = [step for step in steps if step.outcome == UNDETERMINED]
    if not open_:
        return
    yield "<h3>Not decided, because information is missing</h3><ul>"
    for step in open_:
        title = escape(step.action.title or step.action.key)
        yield f"<li><b>{title}</b><p>{escape(because(step), quote=False)}</p></li>"
    yield "</ul>"
