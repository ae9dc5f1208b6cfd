"""What all requests of one process share: settings, definitions, limits; nothing that changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app

from carepath.authoring.case_outcomes import CaseOutcomes
from carepath.authoring.cases import Case, case_files, read_case
from carepath.errors import InvalidContent, MalformedInput
from carepath.formats import json as json_codec
from carepath.knowledge import Knowledge, passed_over
from carepath.knowledge.loader import read_folder
from carepath.resources import Resource
from carepath.validation import definition_issues
from carepath.web.config import Config, InvalidConfiguration
from carepath.web.definitions import DEFINITION_TYPES, Definitions
from carepath.web.feedback import Feedback, feedback_to
from carepath.web.http.logs import SERVER
from carepath.web.limits import Gate, RateLimit
from carepath.web.search.pages import Limits
from carepath.web.search.values import Background
from carepath.web.seen_definitions import SeenDefinitions

EXTENSION = "carepath"


@dataclass(frozen=True)
class Service:
    """One deployment."""

    config: Config
    knowledge: Knowledge
    definitions: Definitions
    parameters: Mapping[str, Sequence[Any]]
    """Deployment parameters of the content, by name; a request's own come before them."""
    clock: Callable[[], datetime]
    started: datetime
    gate: Gate
    rate_limit: RateLimit
    feedback: Feedback

    @classmethod
    def of(cls, config: Config, knowledge: Knowledge | None = None) -> "Service":
        """Load the content of a deployment; raises InvalidContent naming file and element."""
        if knowledge is None:
            own = [d for folder in config.content for d in _own_definitions(Path(folder))]
            _warn_of_files_not_read(config.content)
            knowledge = Knowledge.shipped().with_definitions(own)
        clock = _clock(config)
        started = clock().replace(microsecond=0)
        held = [d for name in DEFINITION_TYPES for d in knowledge.all(name)]
        return cls(
            config=config,
            knowledge=knowledge,
            definitions=Definitions.of(held, started),
            parameters=_deployment_parameters(config.parameters),
            clock=clock,
            started=started,
            gate=Gate(config),
            rate_limit=RateLimit(config.rate_limit, config.rate_burst),
            feedback=feedback_to(config.cds_hooks_feedback),
        )

    @cached_property
    def seen(self) -> SeenDefinitions:
        """Return the definitions that requests bring again and again."""
        return SeenDefinitions(self.knowledge)

    @cached_property
    def background(self) -> Background:
        """Return what a search may look up."""
        return Background(self.definitions, self.knowledge.terminology)

    @cached_property
    def page_limits(self) -> Limits:
        """Return how large a page of a search is."""
        return Limits(self.config.page_size, self.config.max_page_size)

    @cached_property
    def cases(self) -> CaseOutcomes:
        """Return the cases that lie with the content of the deployment."""
        found = (case for folder in self.config.content for case in _cases_in(Path(folder)))
        return CaseOutcomes(found, self.knowledge)


def current() -> Service:
    """Return the service that answers this request."""
    service: Service = current_app.extensions[EXTENSION]
    return service


def _own_definitions(folder: Path) -> Iterator[Resource]:
    """Yield the definitions of a deployment's folder; raise InvalidContent for the first fault."""
    for file, resource in read_folder(folder):
        problems = [issue for issue in definition_issues(resource) if issue.is_error]
        if problems:
            more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
            reason = problems[0].diagnostics.rstrip(".") + more
            raise InvalidContent(f"{folder}/{file}", problems[0].expression[0], reason)
        yield resource


def _warn_of_files_not_read(folders: Iterable[str]) -> None:
    """Log each file of the content that looks like definitions and is not read."""
    for folder in folders:
        for one in passed_over(Path(folder)):
            SERVER.warning(one.sentence, extra={"fields": {"file": f"{folder}/{one.name}"}})


def _cases_in(folder: Path) -> Iterator[Case]:
    """Yield the cases of a deployment's folder; one that is none is logged."""
    for path in filter(Path.is_file, case_files(folder)):
        try:
            yield read_case(path)
        except InvalidContent as error:
            SERVER.warning(str(error), extra={"fields": {"file": str(path)}})


def _clock(config: Config) -> Callable[[], datetime]:
    """Return the clock: a fixed time when configured, else the time in the configured zone."""
    if config.now:
        fixed = datetime.fromisoformat(config.now)
        return lambda: fixed
    try:
        zone = ZoneInfo(config.time_zone) if config.time_zone != "UTC" else UTC
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidConfiguration("CAREPATH_TIME_ZONE", config.time_zone, "a zone name") from error
    return lambda: datetime.now(zone)


def _deployment_parameters(path: str) -> Mapping[str, Sequence[Any]]:
    """Read the JSON object of deployment parameters: a value, or a list of values, by name."""
    if not path:
        return {}
    try:
        document = json_codec.decode(Path(path).read_bytes())
    except (OSError, MalformedInput) as error:
        raise InvalidConfiguration("CAREPATH_PARAMETERS", path, "a readable JSON file") from error
    if not isinstance(document, dict):
        raise InvalidConfiguration("CAREPATH_PARAMETERS", path, "a file with a JSON object")
    return {name: v if isinstance(v, list) else [v] for name, v in document.items()}
