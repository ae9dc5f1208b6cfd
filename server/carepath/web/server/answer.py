"""Answers: of the application, and of the server itself, which are OperationOutcomes, too."""

from typing import Any

from waitress.channel import ClientDisconnected
from waitress.task import ErrorTask, WSGITask

from carepath.web.http import body, logs, outcomes
from carepath.web.http.negotiation import CONTENT_TYPES
from carepath.web.server.refused_head import Head, read_head


class Refusal(ErrorTask):
    """The answer to what never reaches the application."""

    request: Any
    response_headers: list[tuple[str, str]]

    def execute(self) -> None:
        """Answer `request.error`: one of waitress's, or one of ours.

        Replaces `ErrorTask.execute`, which writes plain text.
        """
        outcome = _outcome(self.request.error)
        self.version = "1.1"
        wish = read_head(self.request.head)
        _note(outcome.status, wish, self.request)
        data = body.encode(outcome.resource, wish.format)
        self.status = f"{outcome.status} {outcomes.phrase(outcome.status)}"
        self.response_headers += [
            ("Content-Type", CONTENT_TYPES[wish.format]),
            ("X-Request-Id", wish.request_id),
            ("X-Content-Type-Options", "nosniff"),
            *outcome.headers.items(),
        ]
        self.set_close_on_finish()
        self.content_length = len(data)
        self.write(data if wish.has_body else b"")


def _outcome(error: Any) -> outcomes.Outcome:
    """Return what an error of waitress's, of ours, or of nobody's says."""
    if isinstance(error, Exception):
        return outcomes.outcome_of(error)
    return outcomes.outcome_of_status(getattr(error, "code", 500))


def _note(status: int, wish: Head, request: Any) -> None:
    """Log and count a refusal; its URL may be anything, so no route stands for it."""
    # The folder of the metrics must be known before they are imported.
    from carepath.web.http import metrics  # noqa: PLC0415

    fields = {"request_id": wish.request_id, "status": status}
    logs.SERVER.warning("refused before the application", extra={"fields": fields})
    metrics.count(request.command, "none", status, 0.0)


class Answer(WSGITask):
    """The application's answer."""

    channel: Any
    request: Any

    def start(self) -> None:
        """Begin; at a stop, the answer says that the connection ends by it.

        Extends `Task.start`.
        """
        super().start()
        if self.channel.server.is_stopping:
            self.set_close_on_finish()

    def execute(self) -> None:
        """Run the application.

        Extends `WSGITask.execute`, whose failures waitress would log with the URL.
        """
        try:
            super().execute()
        except (OSError, ClientDisconnected):
            raise
        except BaseException as error:  # noqa: BLE001  whatever it is, the client gets an answer
            logs.ERRORS.error("the application failed", exc_info=error)
            if self.wrote_header:
                self.close_on_finish = True
                return
            self.request.error = error
            Refusal(self.channel, self.request).service()
            self.wrote_header = True
            self.close_on_finish = True
