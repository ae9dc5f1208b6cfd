"""Runs on Spark: the bytes of one machine, also when Python workers are killed; needs Java."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lines import NOW, export

from carepath.errors import InvalidParameter
from carepath.knowledge import Knowledge
from carepath.population.one_patient import How
from carepath.population.run import Order, run
from carepath.population.spark.engine import on_cluster, session
from carepath.spark import apply_many

pytestmark = [
    pytest.mark.slow,
    # pyspark and its bridge leave sockets to the collector.
    pytest.mark.filterwarnings("default::ResourceWarning"),
    pytest.mark.filterwarnings("default::DeprecationWarning"),
    pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning"),
]
FILES = ("careplans.ndjson", "decisions.parquet", "errors.ndjson", "summary.html", "summary.json")
HOW = How(plans=("mst-pathway",), now=NOW)
SHIPPED = Knowledge.shipped()


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    # Plain `local[2]` ends the job with the first task that fails.
    with session("local[2,4]") as made:
        yield made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an export with a drug to share, a replaced record, and a line that is no JSON."""
    folder = export(tmp_path_factory.mktemp("spark") / "in", [f"p{n}" for n in range(40)])
    more: dict[str, list[Any]] = {
        "Medication": [{"resourceType": "Medication", "id": "m", "code": {"text": "imatinib"}}],
        "MedicationRequest": [
            {
                "resourceType": "MedicationRequest",
                "id": "r",
                "status": "active",
                "intent": "order",
                "subject": {"reference": "Patient/p1"},
                "medicationReference": {"reference": "Medication/m"},
            }
        ],
        "Patient-2": [
            {
                "resourceType": "Patient",
                "id": "old",
                "link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}],
            },
            "no JSON",
        ],
    }
    for name, lines in more.items():
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (folder / f"{name}.ndjson").write_text("\n".join(texts) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def expected(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return what one machine gives."""
    out = tmp_path_factory.mktemp("local") / "out"
    run(Order(source, out, HOW), SHIPPED)
    return files(out)


def files(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FILES}


def test_the_bytes_are_those_of_one_machine(
    spark: Any, source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    state = run(Order(source, out, HOW), SHIPPED, read=on_cluster(spark, SHIPPED))
    assert files(out) == expected
    assert (state.stage, state.patients, state.with_shared) == ("done", 40, True)
    assert not (out / "work").exists()


def test_a_killed_python_worker_changes_nothing(
    spark: Any, source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while not over.is_set() and len(killed) < 2:
            # Long enough into the work for the worker to be at the patients.
            time.sleep(8)
            for worker in python_workers():
                if worker not in killed and not over.is_set():
                    killed.append(worker)
                    os.kill(worker, signal.SIGKILL)
                    break

    hunter = threading.Thread(target=kill)
    hunter.start()
    try:
        run(Order(source, tmp_path / "out", HOW), SHIPPED, read=on_cluster(spark, SHIPPED))
    finally:
        over.set()
        hunter.join()
    assert killed
    assert files(tmp_path / "out") == expected


def python_workers() -> list[int]:
    """Return the processes that the daemon of pyspark has forked for this process's session."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            parents[int(entry.name)] = (int(stat[1]), words)

    def is_below(number: int) -> bool:
        while number in parents:
            if number == os.getpid():
                return True
            number = parents[number][0]
        return False

    daemons = {n for n, (_, words) in parents.items() if b"pyspark.daemon" in words and is_below(n)}
    return sorted(n for n in daemons if parents[n][0] in daemons)


def test_nothing_listens_to_other_machines(spark: Any) -> None:
    conf = spark.sparkContext.getConf()
    assert conf.get("spark.driver.host") == "127.0.0.1"
    assert conf.get("spark.driver.bindAddress") == "127.0.0.1"
    assert conf.get("spark.ui.enabled") == "false"


def test_a_frame_of_resources_gives_a_frame_of_answers(
    spark: Any, source: Path, expected: dict[str, bytes]
) -> None:
    rows = [
        (file.name, number, text)
        for file in sorted(source.iterdir())
        for number, text in enumerate(file.read_text("utf-8").splitlines(), 1)
    ]
    frame = spark.createDataFrame(rows, "file string, line bigint, data string").repartition(3)
    answers = apply_many(frame, "mst-pathway", now=NOW, partitions=4).collect()
    plans = [text for row in answers for text in row["careplans"]]
    assert sorted(plans) == sorted(expected["careplans.ndjson"].decode().splitlines())
    errors = [text for row in answers for text in row["errors"]]
    assert sorted(errors) == sorted(expected["errors.ndjson"].decode().splitlines())
    assert [row["patient"] for row in answers if row["errors"]] == [None]


def test_a_frame_without_data_and_a_limit_are_refused(
    spark: Any, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidParameter, match="a DataFrame with the column `data`"):
        apply_many(spark.range(1), now=NOW)
    order = Order(source, tmp_path / "out", HOW, limit=2)
    with pytest.raises(InvalidParameter, match="no limit with `--engine spark`"):
        run(order, SHIPPED, read=on_cluster(spark, SHIPPED))
