"""Where the command line begins: Ctrl-C is heard from here on, while all that it needs is still being imported."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the command line and leave with its exit code."""
    signal.signal(signal.SIGINT, _stopped_early)
    from provgrid.cli import main as command_line

    command_line()


def _stopped_early(_number: int, _frame: FrameType | None) -> None:
    """Leave at once: an exception raised while modules are imported may be swallowed, or end in a traceback."""
    from provgrid.exits import INTERRUPTED

    sys.stderr.write("provgrid: interrupted; nothing was written\n")
    sys.stderr.flush()
    os._exit(INTERRUPTED)
