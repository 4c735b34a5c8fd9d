"""The command line: one module per command, heavy imports inside the commands that need them."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from provgrid import exits
from provgrid.cli import (
    audit,
    bench,
    check,
    claims,
    compare,
    console,
    demo,
    doctor,
    explain,
    export,
    facts,
    import_trace,
    ledger,
    new,
    prices,
    report,
    schema,
    solve,
    study,
    sweep,
    value,
    view,
)
from provgrid_models.errors import NoPlanError, ProvgridError
from provgrid_optimizer.interrupts import caused_by_ctrl_c, listen

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

# What an option takes, by the kind of error that typer's reader of values finds.
NUMBERS = {
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than_equal": "a number of at most {le:g}",
}

app = typer.Typer(
    name="provgrid",
    help="Plan computing power the way a grid operator plans electricity, and prove how good each plan is.",
    epilog="Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in exits.MEANINGS.items()) + ".",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("new")(new.new)
app.command("check")(check.check)
app.command("solve")(solve.solve)
app.command("audit")(audit.audit)
app.command("ledger")(ledger.ledger)
app.command("prices")(prices.prices)
app.command("value")(value.value)
app.command("explain")(explain.explain)
app.command("export")(export.export)
app.add_typer(study.app, name="study")
app.command("compare")(compare.compare)
app.command("sweep")(sweep.sweep)
app.command("pareto")(sweep.pareto)
app.command("import")(import_trace.import_trace)
app.command("report")(report.report)
app.command("view")(view.view)
app.add_typer(bench.app, name="bench")
app.command("facts")(facts.facts)
app.command("claims")(claims.claims)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and log messages.")] = False,
) -> None:
    """Options of every command."""
    if debug:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(name)s: %(message)s")
        log.debug("the command line is read")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:  # one more, while the first one was being told
        code = exits.INTERRUPTED
    except BrokenPipeError:  # of the last words, which the interpreter shall not try to write again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = exits.NOT_READ
    # What was done is done and said: a Ctrl-C while the interpreter takes itself down would only spoil the exit code.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Where Ctrl-C came while a text was evaluated, as typer does with annotations, Python would end itself by the
    # signal after all, whatever its exit code; the next text that is evaluated makes it forget.
    eval("None")
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command; every error is one line on stderr with the next step, and an exit code."""
    # Started in the background of a shell script, a process inherits an ignored Ctrl-C; a plan must stay stoppable.
    console.session = session = console.Session()

    def count() -> None:
        session.interrupts += 1

    listen(count)
    debug = "--debug" in arguments
    arguments = ["--debug"] * debug + [argument for argument in arguments if argument != "--debug"]
    try:
        code = int(app(arguments, prog_name="provgrid", standalone_mode=False) or exits.SOLVED)
        # A Ctrl-C that no command has caught comes back from typer as this code, without a word. One that something
        # on the way has swallowed is none the less one.
        unfinished = session.interrupts > 0 and code in (exits.SOLVED, exits.STOPPED)
        return _interrupted(session) if unfinished or code == exits.INTERRUPTED else code
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(session)
    except SystemExit as ended:  # typer's way out where nobody reads its output any more
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        return exits.NOT_READ
    except ProvgridError as error:
        if debug:
            raise
        # An engine that was interrupted before it had anything says that it has no plan.
        stopped = session.interrupts > 0 and isinstance(error, NoPlanError)
        return _say(str(error), exits.INTERRUPTED if stopped else error.exit_code)
    except Exception as error:
        if _is_usage_error(error):
            message = error.format_message().rstrip(".")  # type: ignore[attr-defined]
            if not message:  # a command without arguments, whose help was printed
                return exits.BAD_INPUT
            what = _no_number(error) or _wording(message)
            return _say(f"{what}see {_command_of(error, arguments)} --help", exits.BAD_INPUT)
        if caused_by_ctrl_c(error):
            return _interrupted(session)
        if debug:
            raise
        reason = " ".join(str(error).split()) or "no message"
        return _say(f"{type(error).__name__}: {reason}; see the traceback with --debug", exits.FAILED)


def _wording(message: str) -> str:
    """Say what a usage error says so that the command with the help can follow."""
    found, asked, meant = message.rpartition(" Did you mean ")
    return f"{found.rstrip('.')}; try {meant.removesuffix('?')}, or " if asked else f"{message}; "


def _no_number(error: Exception) -> str:
    """Say what was found in place of the number that an option or argument takes, likewise; "" of other errors."""
    asked, refused = getattr(error, "param", None), getattr(error.__cause__, "errors", None)
    if asked is None or refused is None:
        return ""
    first = refused()[0]
    expected = NUMBERS.get(first["type"], "").format(**first.get("ctx", {}))
    if not expected:
        return ""
    name = max(asked.opts, key=len)
    expected = "a fraction, such as 0.05 for 5 %" if name == "--gap" else expected
    return f"{name} is {shlex.quote(str(first['input']))}; give {expected}, or "


def _is_usage_error(error: Exception) -> bool:
    """Tell a wrong option or argument; typer carries click's class under a private name."""
    return isinstance(error, next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException"))


def _command_of(error: Exception, arguments: Sequence[str]) -> str:
    """Name the command whose options a usage error is about; the program where there is none."""
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    named = next((argument for argument in arguments if not argument.startswith("-")), "")
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    return f"provgrid {named}" if named in known else "provgrid"


def _interrupted(session: console.Session) -> int:
    """Say what is there after a Ctrl-C."""
    written = " and ".join(map(str, session.written))
    return _say(f"interrupted; {written or 'nothing'} {'is' if written else 'was'} written", exits.INTERRUPTED)


def _say(text: str, code: int) -> int:
    print(f"provgrid: {text}", file=sys.stderr)
    return code
