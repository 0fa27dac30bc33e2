"""How many descriptors the relays may use together, so that ports can be kept however many clients come."""

import resource

_SHARE_OF_LIMIT = 0.75


class Allowance:
    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, count: int) -> bool:
        if count > self._left:
            return False
        self._left -= count
        return True

    def give_back(self, count: int) -> None:
        self._left += count


def of_this_process() -> Allowance:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Allowance(int(soft * _SHARE_OF_LIMIT))
