"""Where `bridgehead` starts: the daemon, or one verb of the command line.

Neither pays for the other's imports. Every error ends here, in Docker's words and with Docker's exit codes:
125 when `run` itself failed, else 1, or the container's own code.
"""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from bridgehead.cli.client import CommandFailed

BY_SIGNAL = 128


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["daemon"]:
        code: int = import_module("bridgehead.daemon").main(words[1:])
        return code
    if words[:1] == ["__complete"]:  # asked by a shell's completion script
        completed: int = import_module("bridgehead.cli.completing").main(words[1:])
        return completed
    try:
        return _command(words)
    except CommandFailed as error:
        print(error.message, file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return BY_SIGNAL + signal.SIGINT
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BY_SIGNAL + signal.SIGPIPE


def _command(words: list[str]) -> int:
    import click

    from bridgehead.cli.terminal import Interrupted
    from bridgehead.cli.verbs import root

    try:
        code = root.main(words, prog_name="bridgehead", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help())
        return 0
    except click.ClickException as error:
        from bridgehead.cli.wording import complaint

        sentence, code = complaint(error)
        print(sentence, file=sys.stderr)
        return code
    except click.Abort:
        return BY_SIGNAL + signal.SIGINT
    except Interrupted as stop:
        return BY_SIGNAL + stop.number
    sys.stdout.flush()
    return code if isinstance(code, int) else 0
