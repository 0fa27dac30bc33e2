"""What takes too long for every run is played by `script/conformance` alone."""

import os


def at_length() -> bool:
    return bool(os.environ.get("BRIDGEHEAD_AT_LENGTH"))
