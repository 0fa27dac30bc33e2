"""The chapter's example (figure 3-17) and its docker0, played on a machine of its own and checked.

Every command is shown as the chapter writes it, with its output; every outcome the chapter tells is checked.
With `--docker` the docker command line plays the same part as ours. Whatever happens, all is taken down
again, and that nothing is left is checked too. Exit code 0: everything is as the chapter says.
"""

import argparse
import os
import signal
import subprocess
import sys
from types import FrameType

from demo import bridge, figure, leftovers
from demo.narrator import Narrator
from demo.stage import Stage


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/demo", description="Play the chapter's example.")
    parser.add_argument("--docker", action="store_true", help="use the docker command line instead of ours")
    wanted = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("it makes network namespaces, so it needs root")
    signal.signal(signal.SIGTERM, _leave)
    narrator = Narrator("docker" if wanted.docker else "bridgehead")
    before = leftovers.machine()
    try:
        _play(narrator)
    except (AssertionError, OSError, TimeoutError, subprocess.SubprocessError) as error:
        narrator.check("the example goes on to its end", expected="no error", found=f"{error}")
    leftovers.check_machine(narrator, before)
    return narrator.close()


def _play(narrator: Narrator) -> None:
    with Stage(narrator) as stage:
        figure.play(stage)
        bridge.play(stage)
        leftovers.take_down(stage)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
