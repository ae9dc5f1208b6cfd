"""Read definitions from a folder or from the package's own data.

Every `.json`, `.yaml` or `.yml` file must hold one FHIR resource, or a Bundle of them.  What is no
FHIR by its name is all that is passed over: JSON Schemas (`*.schema.json`), the `package.json` of a
FHIR package, descriptions of synthetic patients (`people.json`), cases in folders named `cases`,
and files and folders whose names begin with a dot.  A link may lead to a file inside the folder, as
those of a mounted volume do; one that leads elsewhere is refused, and so is what is no plain file.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from stat import S_ISREG

from carepath.errors import InvalidContent, MalformedInput
from carepath.formats.files import ENDINGS, decode_file
from carepath.knowledge.shape import shape_problems
from carepath.r4.model import RESOURCE_TYPES
from carepath.resources import Resource, canonical_of

Source = tuple[str, Resource]
"""The name of a file, relative to where reading began, and a resource in it."""

MAX_FILE_BYTES = 64_000_000
"""A file that is larger is no definition."""

NO_DEFINITIONS = ("package.json", "people.json")
"""Files that hold no definition unless they say of which type it is."""

DATA_PACKAGES = ("carepath.pathways", "carepath.fhir_profiles")


def read_folder(folder: Path) -> list[Source]:
    """Read a folder with all below it; raises InvalidContent naming file and element."""
    if not folder.is_dir():
        raise InvalidContent(str(folder), "folder", "there is no such folder")
    sources = list(_read_tree(folder, "", folder.resolve()))
    for name, resource in sources:
        for element, reason in shape_problems(resource):
            raise InvalidContent(name, element, reason)
    _refuse_duplicates(sources)
    return sources


def read_shipped() -> list[Source]:
    """Read the definitions that are part of this package."""
    sources = [
        source for package in DATA_PACKAGES for source in _read_tree(files(package), f"{package}/")
    ]
    _refuse_duplicates(sources)
    return sources


def _read_tree(folder: Traversable, prefix: str, root: Path | None = None) -> Iterator[Source]:
    """Yield the resources of a folder's files in the order of their names, then those below.

    `root` is the folder of a deployment, which nothing may lead out of; the package has no links.
    """
    for entry in _listed(folder, prefix):
        name = f"{prefix}{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if isinstance(entry, Path) and entry.is_symlink():
                raise InvalidContent(name, "folder", "it is a link to a folder; name that folder")
            yield from _read_tree(entry, f"{name}/", root)
        elif _holds_fhir(entry.name):
            if root is not None and isinstance(entry, Path):
                _refuse_odd_file(entry, name, root)
            yield from _read_file(entry, name)


def _listed(folder: Traversable, prefix: str) -> list[Traversable]:
    try:
        return sorted(folder.iterdir(), key=lambda item: item.name)
    except OSError as error:
        raise _unreadable(prefix or str(folder), "folder", error) from error


def _holds_fhir(name: str) -> bool:
    """Tell whether a file of this name must hold FHIR."""
    return name.endswith(ENDINGS) and not name.endswith(".schema.json")


def _refuse_odd_file(file: Path, name: str, root: Path) -> None:
    """Raise InvalidContent for what would be waited for, never ends or lies elsewhere."""
    try:
        if not file.resolve().is_relative_to(root):
            raise InvalidContent(name, "file", "it is a link that leads out of the folder")
        found = file.stat()
    except (OSError, RuntimeError) as error:
        raise _unreadable(name, "file", error) from error
    if not S_ISREG(found.st_mode):
        raise InvalidContent(name, "file", "it is no plain file")
    if found.st_size > MAX_FILE_BYTES:
        raise InvalidContent(name, "file", f"it has more than {MAX_FILE_BYTES} bytes")


def _unreadable(name: str, element: str, error: Exception) -> InvalidContent:
    why = getattr(error, "strerror", None) or "its links lead in a circle"
    return InvalidContent(name, element, f"it cannot be read ({why})")


def _read_file(file: Traversable, name: str) -> Iterator[Source]:
    """Yield the resource of one file, or the resources of its Bundle."""
    try:
        content = decode_file(file.name, file.read_bytes())
    except OSError as error:
        raise _unreadable(name, "file", error) from error
    except MalformedInput as error:
        raise InvalidContent(name, error.where or "file", error.reason) from error
    if not isinstance(content, dict):
        raise InvalidContent(name, "file", "it must hold a JSON object")
    if "resourceType" not in content and (file.name in NO_DEFINITIONS or _is_case(name)):
        return
    if content.get("resourceType") != "Bundle":
        _refuse_unknown_type(name, "resourceType", content)
        yield name, content
        return
    for index, entry in enumerate(content.get("entry") or ()):
        element = f"Bundle.entry[{index}].resource"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            raise InvalidContent(name, element, "an entry must hold a resource")
        _refuse_unknown_type(name, f"{element}.resourceType", resource)
        yield name, resource


def _is_case(name: str) -> bool:
    """Tell whether a file stands in a folder for cases, which hold no definition by themselves."""
    return "cases" in name.split("/")[:-1]


def _refuse_unknown_type(name: str, element: str, resource: Resource) -> None:
    """Raise InvalidContent unless the resource says of which R4 type it is."""
    resource_type = resource.get("resourceType")
    if resource_type is None:
        raise InvalidContent(name, element, "`resourceType` is missing")
    if resource_type not in RESOURCE_TYPES:
        raise InvalidContent(name, element, f"`{resource_type}` is no resource type of FHIR R4")


def _refuse_duplicates(sources: list[Source]) -> None:
    """Raise InvalidContent when two files define the same canonical and version."""
    seen: dict[tuple[str, str], str] = {}
    for name, resource in sources:
        key = (resource["resourceType"], canonical_of(resource))
        if "url" in resource and seen.setdefault(key, name) != name:
            reason = f"`{key[1]}` is defined in `{seen[key]}` too"
            raise InvalidContent(name, f"{key[0]}.url", reason)
