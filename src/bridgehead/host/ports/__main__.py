"""The port keeper: `python -m bridgehead.host.ports --socket PATH [--linger SECONDS]`."""

import sys

from bridgehead.host.companion.process import main
from bridgehead.host.ports.keeper import Keeper

if __name__ == "__main__":
    sys.exit(main("port keeper", sys.argv[1:], Keeper))
