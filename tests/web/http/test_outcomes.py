"""Errors as HTTP: every class has a status and a code that R4 knows."""

import inspect

import pytest
from werkzeug.exceptions import HTTPException, default_exceptions

from carepath import errors
from carepath.errors import CarepathError, InvalidParameter, InvalidResource
from carepath.issues import Issue
from carepath.r4.codes import codes_of
from carepath.validation import check_structure
from carepath.web.config import Config
from carepath.web.http import negotiation, refusals
from carepath.web.http.outcomes import MEANINGS, outcome_of, outcome_of_status
from carepath.web.http.urls import client_address

CODES = codes_of("http://hl7.org/fhir/ValueSet/issue-type")
OURS = {
    "CarepathError",
    "Busy",
    "DataEndpointFailed",
    "MissingLibrary",
    "NotAudited",
    "NotInBatch",
    "OutOfMemory",
    "RunStopped",
    "UnsupportedTransferCoding",
}
CLASSES = [
    one
    for module in (errors, refusals, negotiation)
    for _, one in inspect.getmembers(module, inspect.isclass)
    if issubclass(one, CarepathError)
]


@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.__name__)
def test_every_error_class_has_a_meaning(one: type[CarepathError]) -> None:
    meaning = next(MEANINGS[ancestor] for ancestor in one.__mro__ if ancestor in MEANINGS)
    assert 400 <= meaning.status < 600
    assert CODES is not None
    assert meaning.code in CODES
    # All others say that the client has to change something.
    assert (meaning.status >= 500) == (one.__name__ in OURS)


@pytest.mark.parametrize("status", [*default_exceptions, 431, 599])
def test_every_status_of_the_framework_gives_a_valid_outcome(status: int) -> None:
    outcome = outcome_of_status(status)
    assert check_structure(outcome.resource) == ()
    assert outcome.status in (status, 500)


def test_errors_of_the_framework_lose_their_text() -> None:
    class Odd(HTTPException):
        code = 404
        description = "secret"

    assert "secret" not in str(outcome_of(Odd()).resource)


def test_unknown_errors_lose_their_text() -> None:
    outcome = outcome_of(RuntimeError("secret"))
    assert (outcome.status, outcome.is_our_fault) == (500, True)
    assert "secret" not in str(outcome.resource)


def test_all_problems_of_a_resource_come_at_once() -> None:
    issues = [Issue("error", "structure", "A is wrong.", ("A",)),
              Issue("error", "value", "B is wrong.", ("B",))]  # fmt: skip
    outcome = outcome_of(InvalidResource(issues))
    assert outcome.status == 422
    assert [i["expression"] for i in outcome.resource["issue"]] == [["A"], ["B"]]


def test_a_missing_parameter_is_required() -> None:
    missing = outcome_of(InvalidParameter("url", None, "a URL"), ("http.url",)).resource["issue"][0]
    assert (missing["code"], missing["expression"]) == ("required", ["http.url"])
    wrong = outcome_of(InvalidParameter("url", "x", "a URL")).resource["issue"][0]
    assert wrong["code"] == "value"


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),  # no proxy of ours: its word counts for nothing
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),  # the first is the client's lie
    ],
)
def test_who_is_the_client(peer: str, header: str, client: str) -> None:
    config = Config(trusted_proxies=("10.0.0.0/8",))
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": header}
    assert client_address(config, environ) == client
