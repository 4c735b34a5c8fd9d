"""Processes side by side: results come back, and a lost process is an error of its own."""

from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from provgrid.workers import processes
from provgrid_models.errors import WorkerLostError

STARTS_A_WORKER = """
import os, time
from provgrid.workers import processes
if __name__ == "__main__":
    with processes(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def test_work_is_done_in_another_process() -> None:
    with processes(1) as pool:
        assert pool.submit(operator.add, 2, 3).result() == 5
        assert pool.submit(os.getpid).result() != os.getpid()


def test_a_process_that_ends_without_a_word_is_an_error_with_its_own_exit_code() -> None:
    with pytest.raises(WorkerLostError, match="fewer --jobs") as lost, processes(1) as pool:
        pool.submit(os._exit, 1).result()
    assert lost.value.exit_code == 8


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system cannot block a signal")
def test_a_worker_is_born_deaf_to_ctrl_c_and_who_started_it_is_not() -> None:
    with processes(1) as pool:
        assert signal.SIGINT in pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_ctrl_c_while_a_worker_is_started_is_raised_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    start = ProcessPoolExecutor._spawn_process

    def interrupted(pool: ProcessPoolExecutor) -> None:
        signal.raise_signal(signal.SIGINT)
        start(pool)

    with processes(1) as pool:
        monkeypatch.setattr(ProcessPoolExecutor, "_spawn_process", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pool.submit(os.getpid)
        assert pool.submit(operator.add, 2, 3).result() == 5


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_a_worker_does_not_outlive_a_killed_parent(tmp_path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(STARTS_A_WORKER, encoding="utf-8")
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(200):
        if not _runs(worker):
            return
        time.sleep(0.05)
    raise AssertionError("the worker still runs")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] != "Z"
    except FileNotFoundError:
        return False
