"""Endpoints for those who run the service: health, readiness, metrics."""

from flask import Response, jsonify

from carepath.web import service
from carepath.web.http import metrics


def healthz() -> Response:
    """Answer that the process is alive."""
    return jsonify(status="ok")


def readyz() -> Response:
    """Answer that the content is loaded and requests are taken."""
    counts = {name: len(held) for name, held in service.current().definitions.by_type.items()}
    return jsonify(status="ready", definitions=counts)


def metrics_page() -> Response:
    """Answer with the metrics for Prometheus."""
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
