"""The resolver process: `python -m bridgehead.host.resolver --socket PATH [--linger SECONDS]`."""

import sys

from bridgehead.host.companion.process import main
from bridgehead.host.resolver.service import ResolverService

if __name__ == "__main__":
    sys.exit(main("resolver", sys.argv[1:], ResolverService))
