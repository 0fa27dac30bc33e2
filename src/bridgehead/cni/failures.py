"""Errors as CNI tells them: a number that runtimes know, a sentence, and what else helps."""

INCOMPATIBLE_VERSION = 1
UNSUPPORTED_FIELD = 2
UNKNOWN_CONTAINER = 3
INVALID_ENVIRONMENT = 4
INPUT_FAILED = 5
UNDECODABLE = 6
INVALID_CONFIGURATION = 7
TRY_AGAIN_LATER = 11
NOT_AVAILABLE = 50
# From here on the numbers are the plugin's own.
REFUSED = 100  # by the daemon
ATTACHED_ALREADY = 101
DIFFERENT = 102  # CHECK found something else than ADD had made
INTERNAL = 199


class Failure(Exception):
    """`code` is one of the above, `message` the sentence the user reads."""

    def __init__(self, code: int, message: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class Refused(Failure):
    """The daemon answered with an error; `status` is HTTP's."""

    def __init__(self, status: int, sentence: str, asked: str) -> None:
        super().__init__(REFUSED, sentence, f"{asked} answered {status}")
        self.status = status


class Unreachable(Failure):
    """Nobody answers at the daemon's socket; what is asked of it can be asked again."""

    def __init__(self, message: str) -> None:
        super().__init__(TRY_AGAIN_LATER, message)
