"""Generalised assignment problems in the format of the OR-Library, solved and held against their best known values."""

from __future__ import annotations

import csv
import gzip
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from provgrid_models.errors import ArrayError
from provgrid_optimizer.assign import assign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provgrid_models.problem import Floats

Sense = Literal["min", "max"]
BestKnown = dict[tuple[str, int, str], tuple[str, float]]  # (file, index, sense) -> (instance, value)


@dataclass(frozen=True)
class GapProblem:
    """One problem of a file: m agents x n tasks, costs (or profits), usage (m, n) and capacity (m,)."""

    file: str
    index: int
    cost: Floats
    usage: Floats
    capacity: Floats

    @property
    def sense(self) -> Sense:
        """The published sense: gap1 to gap12 are maximised, all others minimised."""
        return "max" if re.fullmatch(r"gap\d+\.txt", self.file) else "min"


def read_problems(path: Path) -> list[GapProblem]:
    """Read a file, plain or .gz: the number of problems, then for each m, n, costs, usage and capacities.

    Raises
    ------
    ArrayError : the file is missing, broken or cut short; the message says where.
    """
    numbers = _Numbers(path)
    file = path.name.removesuffix(".gz")
    problems = []
    for index in range(1, numbers.count("the number of problems") + 1):
        m = numbers.count(f"the agents of problem {index}")
        n = numbers.count(f"the tasks of problem {index}")
        cost = numbers.take(m * n, f"the costs of problem {index}").reshape(m, n)
        usage = numbers.take(m * n, f"the usage of problem {index}").reshape(m, n)
        problems.append(GapProblem(file, index, cost, usage, numbers.take(m, f"the capacities of problem {index}")))
    numbers.end()
    return problems


class _Numbers:
    """The numbers of a file, one after the other; line breaks carry no meaning, but errors name them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("ascii")
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise ArrayError(f"{path}: cannot be read ({error}); give a text file of the OR-Library") from error
        self._words = [(word, line) for line, words in enumerate(text.splitlines(), 1) for word in words.split()]
        self._at = 0

    def take(self, count: int, what: str) -> Floats:
        """Return the next numbers."""
        words = self._words[self._at : self._at + count]
        values = np.empty(count)
        for k, (word, line) in enumerate(words):
            try:
                values[k] = float(word)
            except ValueError:
                values[k] = math.nan
            if not math.isfinite(values[k]):
                raise ArrayError(f"{self._path}, line {line}: {word!r} stands among {what}; give a number")
        if len(words) < count:
            raise ArrayError(
                f"{self._path}: ends after {len(words)} of {count} numbers for {what}; the file is cut short"
            )
        self._at += count
        return values

    def count(self, what: str) -> int:
        """Return the next number, which counts something."""
        value = float(self.take(1, what)[0])
        if value < 1 or value != round(value) or value > len(self._words):
            line = self._words[self._at - 1][1]
            raise ArrayError(f"{self._path}, line {line}: {value:g} stands for {what}; give a whole number from 1 on")
        return int(value)

    def end(self) -> None:
        """Refuse what stands after the last problem."""
        if self._at < len(self._words):
            word, line = self._words[self._at]
            raise ArrayError(f"{self._path}, line {line}: {word!r} stands after the last problem; check the counts")


def read_best_known(path: Path) -> BestKnown:
    """Read best known values by file, index and sense.

    Raises
    ------
    ArrayError : the file is missing, lacks a column, or a row is broken.
    """
    known: BestKnown = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for line, row in enumerate(csv.DictReader(stream), 2):
                try:
                    known[row["file"], int(row["index"]), row["sense"]] = row["instance"], float(row["best_known"])
                except (KeyError, TypeError, ValueError) as error:
                    raise ArrayError(
                        f"{path}, line {line}: {error}; give instance, file, sense, best_known and index"
                    ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ArrayError(f"{path}: cannot be read ({error}); give a CSV file") from error
    return known


def measure_gap(
    problem: GapProblem,
    known: BestKnown,
    *,
    time_limit_s: float | None,
    gap: float | None = None,
    seed: int = 0,
    threads: int = 2,
) -> dict[str, Any]:
    """Solve a problem in its published sense: one record, its best known value None where there is none."""
    sense = problem.sense
    name = f"{problem.file.removesuffix('.txt')}-{problem.index}"
    instance, best_known = known.get((problem.file, problem.index, sense), (name, None))
    found = assign(
        problem.cost,
        problem.usage,
        problem.capacity,
        sense=sense,
        gap=gap,
        time_limit=time_limit_s,
        seed=seed,
        threads=threads,
    )
    worse = None
    if best_known is not None:
        loss = found.objective - best_known if sense == "min" else best_known - found.objective
        worse = loss / max(abs(best_known), 1.0)
    return {
        "instance": instance,
        "file": problem.file,
        "index": problem.index,
        "sense": sense,
        "agents": problem.cost.shape[0],
        "tasks": problem.cost.shape[1],
        "status": found.status,
        "objective": found.objective,
        "best_known": best_known,
        "above_best_known": worse,
        "bound": found.bound if math.isfinite(found.bound) else None,
        "bound_method": found.bound_method,
        "gap": found.gap if math.isfinite(found.gap) else None,
        "audit_violations": len(found.audit_violations),
        "passes": found.passes,
        "compile_s": found.compile_s,
        "solve_s": found.solve_s,
        "seed": seed,
    }


def measure_files(files: list[Path], known: BestKnown, **options: Any) -> Iterator[dict[str, Any]]:
    """Read every file first, so that a broken one ends the run before any work; then one record per problem."""
    for problem in [problem for file in files for problem in read_problems(file)]:
        yield measure_gap(problem, known, **options)
