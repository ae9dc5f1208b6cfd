"""What is said when Spark does not start or gives up: a sentence, and nothing is lost."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lines import NOW, export, read
from pyspark.errors import PySparkException

from carepath.errors import RunStopped
from carepath.knowledge import Knowledge
from carepath.population.one_patient import How
from carepath.population.run import Order, run
from carepath.population.spark.engine import on_cluster

SHIPPED = Knowledge.shipped()


class Broken:
    """A session whose jobs fail."""

    def range(self, *_: Any) -> Any:
        raise PySparkException("Job aborted: no executor is left.\nat org.apache.spark")


def test_a_run_that_spark_gives_up_goes_on_elsewhere(tmp_path: Path) -> None:
    order = Order(export(tmp_path / "in", ["a"]), tmp_path / "out", How(("mst-pathway",), NOW))
    with pytest.raises(RunStopped) as caught:
        run(order, SHIPPED, read=on_cluster(Broken(), SHIPPED))
    assert "Spark has given up (Job aborted: no executor is left)" in str(caught.value)
    assert run(replace(order, resume=True), SHIPPED).stage == "done"
    assert len(read(tmp_path / "out/careplans.ndjson")) == 1


def test_without_java_a_sentence_says_what_is_needed(tmp_path: Path) -> None:
    options = ("--out", str(tmp_path / "out"), "--engine", "spark", "--master", "local[1,4]")
    command = (sys.executable, "-m", "carepath", "apply-many", str(export(tmp_path / "in", ["a"])))
    environment = {**os.environ, "JAVA_HOME": str(tmp_path / "no-java")}
    found = subprocess.run(
        [*command, *options], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert "expected a Spark that starts (Java 17 is needed)" in found.stderr
    assert "Traceback" not in found.stderr
