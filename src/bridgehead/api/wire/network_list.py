"""Networks as a list shows them, encoded once: a record never changes, it is replaced."""

from collections.abc import Iterable

import msgspec

from bridgehead.api.wire.network import show
from bridgehead.core.model.ids import NetworkID
from bridgehead.core.model.network import Network

_SPARE = 64


class NetworkList:
    def __init__(self) -> None:
        self._encoded: dict[NetworkID, tuple[Network, msgspec.Raw]] = {}

    def show(self, networks: Iterable[Network]) -> list[msgspec.Raw]:
        shown = [self._raw(network) for network in networks]
        if len(self._encoded) > 2 * len(shown) + _SPARE:
            self._encoded.clear()  # mostly of networks that are gone
        return shown

    def _raw(self, network: Network) -> msgspec.Raw:
        held = self._encoded.get(network.id)
        if held is None or held[0] is not network:
            held = self._encoded[network.id] = (network, msgspec.Raw(msgspec.json.encode(show(network))))
        return held[1]
