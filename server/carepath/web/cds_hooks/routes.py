"""The URLs of CDS Hooks.

https://cds-hooks.hl7.org/2.0/
"""

from collections.abc import Iterator

from carepath.web.authorisation.rights import OPEN, need
from carepath.web.cds_hooks import views
from carepath.web.config import Config
from carepath.web.rest.route import Route

SERVICES = "/cds-services"
_ONE = f"{SERVICES}/<service_id:id>"


def cds_hooks_routes(config: Config) -> Iterator[Route]:
    """Yield the routes of CDS Hooks, none when it is switched off.

    Any page may discover what there is.  Any page may call, too, for CDS Clients run in browsers
    and an answer tells what was sent: but not where a call can lead to a server of the hospital.
    """
    if not config.cds_hooks:
        return
    applies = need("PlanDefinition", "r")
    tells_of_others = bool(config.data_endpoint or config.data_endpoint_hosts)
    yield Route(
        ("GET",),
        SERVICES,
        "cds-services",
        views.discovery,
        "CDS Services",
        is_open=True,
        needs=OPEN,
    )
    yield Route(
        ("POST",),
        _ONE,
        "cds-services.call",
        views.call,
        "Call a CDS Service",
        is_open=not tells_of_others,
        body="CdsHooksRequest",
        needs=applies,
    )
    yield Route(
        ("POST",),
        f"{_ONE}/feedback",
        "cds-services.feedback",
        views.feedback,
        "Feedback on cards",
        is_open=not tells_of_others,
        body="CdsHooksFeedback",
        needs=applies,
    )
