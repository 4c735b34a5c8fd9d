"""Sweeps on a real Dask cluster: a scheduler and two workers of this machine, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from command_line import environment, json_of, one_line, provgrid, start

pytest.importorskip("distributed", reason="distributed is not installed: python -m pip install -e '.[cluster]'")

VARY = ("--vary", "prices.carbon_price_yuan_per_t=0:110:10", "--engine", "lp")  # 12 points


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address, self._folder = f"tcp://127.0.0.1:{port}", folder
        self._processes = [self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
        self.workers = [self.worker() for _ in range(2)]

    def worker(self) -> subprocess.Popen[bytes]:
        """Start one more worker, with one thread and nobody to start it again."""
        where = ("--local-directory", str(self._folder), "--no-dashboard")
        return self._start("dask_worker", self.address, "--nthreads", "1", "--no-nanny", *where)

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(PYTHONPATH=os.pathsep.join(filter(None, sys.path))),
        )
        if module == "dask_worker":
            self._processes.append(process)
        return process

    def close(self) -> None:
        """End all processes that are still there."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    found = Cluster(tmp_path / "dask")
    try:
        yield found
    finally:
        found.close()


def wait_for(holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it has not come about in a minute")


@pytest.mark.slow
def test_a_sweep_ends_as_on_this_machine_although_a_worker_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    points = tmp_path / "points"
    process = start("sweep", "toy", *VARY, "--points-in", points, "--dask", cluster.address, "--json")
    wait_for(lambda: len(list(points.glob("*.json"))) >= 3)
    cluster.workers[0].send_signal(signal.SIGKILL)
    out, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    here = json_of(provgrid("sweep", "toy", *VARY, "--points-in", tmp_path / "here", "--json"))
    there = json_of(provgrid("sweep", "toy", *VARY, "--points-in", points, "--json"))  # what the cluster has made
    assert there["made"] == 0
    for record in (here, there):
        for row in record["rows"]:
            del row["seconds"]
    assert there["rows"] == here["rows"]
    assert '"made": 12' in out


@pytest.mark.slow
def test_a_cluster_without_workers_is_exit_8_and_what_was_finished_is_kept(cluster: Cluster, tmp_path: Path) -> None:
    points = tmp_path / "points"
    process = start("sweep", "toy", *VARY, "--points-in", points, "--dask", cluster.address)
    wait_for(lambda: len(list(points.glob("*.json"))) >= 2)
    for worker in cluster.workers:
        worker.send_signal(signal.SIGKILL)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 8, said
    assert "what was finished is kept: start a worker" in said.strip().splitlines()[-1]
    assert 2 <= len(list(points.glob("*.json"))) < 12


@pytest.mark.slow
def test_an_address_without_a_scheduler_is_bad_input(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    said = one_line(provgrid("sweep", "toy", *VARY, "--points-in", tmp_path, "--dask", address), 2)
    assert "no Dask scheduler answers at" in said
    assert "dask scheduler" in said
