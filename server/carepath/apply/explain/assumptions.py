"""What the caller supposed of the patient, in sentences: no plan that rests on it may hide it."""

from carepath.apply.explain.because import shown
from carepath.apply.run.session import Session


def assumptions(session: Session) -> tuple[str, ...]:
    """Return a sentence for each fact that was given a value, in the order given."""
    return tuple(_sentence(name, session) for name in session.request.assumed)


def _sentence(name: str, session: Session) -> str:
    found = session.read_facts(name)
    if not found:
        return f"Assumed, and read by nothing in this plan: `{name}`."
    value = found[0]
    what = shown(value) if value.known.items else "not known"
    return f"Assumed, whatever the record says: {value.fact.words} is {what}."
