"""Who had which address until lately: a courtesy to whoever still remembers, not a part of the intent.

Lost with the daemon or forgotten when it grows, it changes which free address comes next and nothing else.
"""

from collections.abc import Mapping

from bridgehead.core.model.addresses import Address
from bridgehead.core.model.ids import ContainerID, NetworkID
from bridgehead.core.model.network import Phase
from bridgehead.core.model.snapshot import Snapshot, changed

_MOST = 1024  # addresses remembered for one network


class FormerAddresses:
    def __init__(self) -> None:
        self._freed: dict[NetworkID, dict[Address, ContainerID]] = {}

    def of(self, network: NetworkID) -> Mapping[Address, ContainerID]:
        """The address and its former holder, the longest free first."""
        return self._freed.get(network, {})

    def note(self, old: Snapshot, new: Snapshot) -> None:
        """Remember what was given back between the two; nobody can know what was never promised."""
        for endpoint, after in changed(old.endpoints, new.endpoints):
            if endpoint is None or after is not None or endpoint.phase is Phase.PENDING:
                continue
            freed = self._freed.setdefault(endpoint.network, {})
            for address in endpoint.addresses:
                freed.pop(address.ip, None)
                freed[address.ip] = endpoint.container
            while len(freed) > _MOST:
                del freed[next(iter(freed))]
        for network, after_network in changed(old.networks, new.networks):
            if network is not None and after_network is None:
                self._freed.pop(network.id, None)
