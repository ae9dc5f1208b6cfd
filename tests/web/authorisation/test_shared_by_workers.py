"""What all workers know together: used assertions, the rate of a client, the key of tokens."""

import json
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from known_clients import bearer, ec_key, key_set, signed  # type: ignore[import-not-found]

from carepath.web.authorisation.credentials import kept_token
from carepath.web.authorisation.rates import Rates
from carepath.web.authorisation.replay import Used
from carepath.web.authorisation.rights import Grant, Rate
from carepath.web.authorisation.shared_times import Full, SharedTimes
from carepath.web.authorisation.untrusted import Untrusted
from carepath.web.http.refusals import Busy, TooManyRequests

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_two_workers_share_tokens_assertions_and_rates(serve: Any, tmp_path: Path) -> None:
    key = ec_key("k1")
    registry = {
        "clients": [
            {"id": "ehr", "jwks": key_set(key), "scopes": "system/*.rs"},
            {"id": "slow", "token": kept_token("slow"), "scopes": "system/*.rs",
             "rate": 0.001, "burst": 10},
        ]
    }  # fmt: skip
    path = tmp_path / "registry.json"
    path.write_text(json.dumps(registry), "utf-8")
    base = "https://pathways.example/fhir"
    with serve(
        CAREPATH_AUTHORISATION=str(path), CAREPATH_BASE_URL=base, CAREPATH_WORKERS="2"
    ) as server:

        def ask(assertion: str) -> httpx.Response:
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": TYPE,
                "client_assertion": assertion,
                "scope": "system/PlanDefinition.r",
            }
            # A connection of its own, so that either worker may get it.
            return httpx.post(f"{server.root}/auth/token", data=form)

        def assertion(number: int) -> str:
            told = {"iss": "ehr", "sub": "ehr", "aud": "https://pathways.example/auth/token",
                    "exp": int(time.time()) + 200, "jti": f"id-{number}"}  # fmt: skip
            return signed(key, "ES384", told)

        with ThreadPoolExecutor(8) as pool:
            for number in range(4):
                one = assertion(number)
                statuses = [answer.status_code for answer in pool.map(ask, [one] * 8)]
                assert sorted(statuses) == [200] + [401] * 7
            token = ask(assertion(9)).json()["access_token"]
            url = f"{server.base}/PlanDefinition/mst-gist"
            read = list(pool.map(lambda _: httpx.get(url, headers=bearer(token)), range(12)))
            assert {answer.status_code for answer in read} == {200}
            slow = list(pool.map(lambda _: httpx.get(url, headers=bearer("slow")), range(24)))
        statuses = [answer.status_code for answer in slow]
        assert sorted(statuses) == [200] * 10 + [429] * 14
        refused = next(answer for answer in slow if answer.status_code == 429)
        assert int(refused.headers["Retry-After"]) > 0


def test_a_table_is_shared_by_processes() -> None:
    times = SharedTimes(1_024)
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_count, args=(times,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert times.update("n", 0.5, lambda before: before) == 4 * 500


def _count(times: SharedTimes) -> None:
    for _ in range(500):
        times.update("n", 0.5, lambda before: before + 1)


def test_a_worker_that_dies_with_the_lock_holds_nobody_up() -> None:
    times = SharedTimes(64)
    fork = multiprocessing.get_context("fork")
    dying = fork.Process(target=_die, args=(times,))
    dying.start()
    dying.join()
    assert dying.exitcode == 9
    assert times.update("n", 0.5, lambda _: 1.0) == 0


def _die(times: SharedTimes) -> None:
    def at_once(_: float) -> float:
        os._exit(9)

    times.update("n", 0.5, at_once)


def test_a_full_table_refuses_what_must_not_be_forgotten() -> None:
    times = SharedTimes(4)
    used = Used(times)
    for number in range(4):
        used.note("i", str(number), 1_000, 0)
    with pytest.raises(Busy):
        used.note("i", "4", 1_000, 0)
    with pytest.raises(Untrusted):
        used.note("i", "3", 1_000, 0)
    used.note("i", "4", 2_000, 1_061)


def test_an_entry_that_is_over_makes_room() -> None:
    times = SharedTimes(1)
    times.update("a", 0, lambda _: 1)
    with pytest.raises(Full):
        times.update("b", 0, lambda _: 1)
    assert times.update("b", 2, lambda _: 3) == 0
    assert times.update("a", 2, lambda _: 9, evict=True) == 0
    assert times.update("a", 3, lambda before: before) == 9


def test_a_rate_lets_a_burst_go_and_then_one_after_the_other() -> None:
    now = 100.0
    rates = Rates(SharedTimes(64), lambda: now)
    grant = Grant("a", rate=Rate(2.0, 3))
    for _ in range(3):
        rates.take(grant)
    with pytest.raises(TooManyRequests) as caught:
        rates.take(grant)
    assert caught.value.retry_after == 1
    now += 0.5
    rates.take(grant)
    with pytest.raises(TooManyRequests):
        rates.take(grant)
    rates.take(Grant("b", rate=Rate(2.0, 3)))
    rates.take(Grant("c"))
    now += 60
    for _ in range(3):
        rates.take(grant)
    with pytest.raises(TooManyRequests):
        rates.take(grant)


def test_many_clients_do_not_fill_the_table_of_rates() -> None:
    rates = Rates(SharedTimes(16), lambda: 1.0)
    for number in range(100):
        rates.take(Grant(f"client {number}", rate=Rate(1.0, 1)))
