"""What the service answers: the CapabilityStatement and the answers of the $apply suite."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from carepath.formats.json import encode
from carepath.web import create_app


def answers(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each answer as text, with a name that says where it comes from."""
    metadata = create_app().test_client().get("/fhir/metadata?_format=json")
    yield "GET [base]/metadata", metadata.get_data(as_text=True)
    suite = _load(root / "tests/apply/test_suite.py")
    for path in sorted((root / "tests/apply/cases").glob("*.json")):
        case = suite.read(path)
        if "needs" in case:
            continue  # About parameters: the answer needs a server around the engine.
        for number, answer in enumerate(suite.run(case).answers):
            yield f"{path.relative_to(root)} answer {number + 1}", encode(answer).decode()


def _load(path: Path) -> ModuleType:
    """Load a test module by its file: tests are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
