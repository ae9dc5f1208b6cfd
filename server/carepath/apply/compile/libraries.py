"""What the names in a definition mean: its own variables, then what its Libraries hold.

https://hl7.org/fhir/R4/library.html
"""

from carepath.apply.compile.activity import subject_type
from carepath.apply.compile.compilation import Compilation, longer_by
from carepath.apply.compile.modifiers import check_modifiers
from carepath.apply.compile.names import VARIABLE, Fact, Names, library_names
from carepath.apply.compile.unknown_names import unknown_names
from carepath.apply.issues import issue_of
from carepath.errors import ContentError, UnresolvedCanonical, UnsupportedFeature
from carepath.issues import Issue
from carepath.resources import Resource, canonical_of


def names_in(owner: Resource, made: Compilation, issues: list[Issue]) -> Names:
    """Return the names of a plan or ActivityDefinition: its variables, then its Libraries'.

    What is wrong with a Library or a fact is added to the issues.
    """
    names = Names(canonical_of(owner))
    names.add_facts(owner.get("extension"), VARIABLE, made.formula)
    for canonical in owner.get("library") or ():
        library = made.knowledge.find(canonical, owner, "Library")
        try:
            if library is None:
                raise UnresolvedCanonical(canonical, canonical_of(owner))
            names.include(_library(library, made, ()))
        except (ContentError, UnsupportedFeature) as error:
            issues.append(issue_of(error))
    issues.extend(_problems(names, subject_type(owner)))
    names.meaning = made.meaning(names)
    return names


def action_names(action: Resource, made: Compilation) -> Names | None:
    """Return what an action adds to the names: its variables and inputs."""
    names = Names(str(action.get("id", "action")))
    names.add_facts(action.get("extension"), VARIABLE, made.formula)
    names.add_collections(action.get("input") or ())
    return names if names.entries else None


def _library(library: Resource, made: Compilation, chain: tuple[str, ...]) -> Names:
    """Return the names of a Library and of those it depends on; raises CyclicDefinition."""
    chain = longer_by(canonical_of(library), chain)
    return made.library(library, chain, lambda: _compiled(library, made, chain))


def _compiled(library: Resource, made: Compilation, chain: tuple[str, ...]) -> Names:
    made.judge(library)
    check_modifiers(library)
    names = library_names(library, made.formula)
    for artifact in library.get("relatedArtifact") or ():
        if artifact.get("type") == "depends-on" and "resource" in artifact:
            other = made.knowledge.find(artifact["resource"], library, "Library")
            if other is not None:
                names.include(_library(other, made, chain))
    return names


def _problems(names: Names, type_name: str) -> list[Issue]:
    """Return an issue for each fact that does not compile, or reads what nobody has."""
    found = []
    for name, entry in names.entries.items():
        problem = entry.formula.problem if isinstance(entry, Fact) else None
        if problem is not None:
            text = f"The fact `{name}` cannot be used. {problem.diagnostics}"
            found.append(Issue(problem.severity, problem.code, text))
        if isinstance(entry, Fact):
            found.extend(unknown_names(entry.formula, type_name, f"the fact `{name}`"))
    return found
