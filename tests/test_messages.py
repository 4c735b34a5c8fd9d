"""Every error of provgrid is one line that ends with what to do next."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import provgrid_models.errors as errors

ROOT = Path(__file__).parent.parent
OURS = {name for name in vars(errors) if name.endswith("Error")}


def messages() -> Iterator[tuple[str, str]]:
    """Place and text of every message that is written where it is raised; what is filled in is `{}`."""
    for layer in ("seeds", "models", "optimizer", "planner", "benchmarks"):
        for path in sorted((ROOT / layer).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                    name, message = node.exc.func, node.exc.args[0]
                    if (
                        isinstance(name, ast.Name)
                        and name.id in OURS
                        and isinstance(message, ast.JoinedStr | ast.Constant)
                    ):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", text_of(message)


def text_of(message: ast.JoinedStr | ast.Constant) -> str:
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def test_every_error_says_what_was_found_and_then_what_to_do() -> None:
    found = list(messages())
    assert len(found) > 100
    for place, text in found:
        what, semicolon, what_next = text.partition(";")
        assert what.strip(), (place, text)
        assert semicolon, f"{place}: {text!r} does not say what to do next"
        assert what_next.strip(), (place, text)


def test_every_error_is_one_line_without_a_full_stop() -> None:
    for place, text in messages():
        assert "\n" not in text, place
        assert not text.endswith("."), (place, text)
