#!/usr/bin/env python3
"""A network driver and an IPAM driver in one file: veth pairs into a Linux bridge, addresses from a file.

    python simple_bridge.py &
    docker network create -d simple --ipam-driver simple demo
    docker run --rm --network demo busybox ip address

It needs root, for `ip`, and asks `iptables`, if there is one, to let a network's containers reach each other.
They reach the host as well; nothing is translated and no ports are published. Options: `-o mtu=1400`,
`-o bridge=NAME`.

Two habits make it robust. Whatever it must know after its own restart is in one file, written before a call
is answered. And every call may come twice: what is there already is taken as done, what is gone as removed.
"""

import ipaddress
import json
import os
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from bridgehead.plugin import (
    AnsweredInterface,
    CreatedEndpoint,
    CreateEndpoint,
    CreateNetwork,
    DeleteEndpoint,
    DeleteNetwork,
    GivenAddress,
    InterfaceName,
    IpamDriver,
    Join,
    Joined,
    Leave,
    NetworkDriver,
    Pool,
    Refused,
    ReleaseAddress,
    ReleasePool,
    RequestAddress,
    RequestPool,
    main,
)

Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_BLOCKS = {False: ("10.222.0.0/16", 24), True: ("fd22:2222::/48", 64)}
GATEWAY = "com.docker.network.gateway"
MAC = "com.docker.network.endpoint.macaddress"


class State(dict[str, dict[str, Any]]):
    """Three tables, kept in a file: networks, endpoints and pools, by their identifiers."""

    def __init__(self, path: Path) -> None:
        super().__init__(networks={}, endpoints={}, pools={})
        self._path = path
        if path.exists():
            self.update(json.loads(path.read_text()))

    def save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(self, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


def ip(*words: str) -> None:
    """Run `ip`. Its complaint becomes the user's."""
    outcome = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=10, check=False)
    if outcome.returncode:
        raise Refused(f"ip {' '.join(words)}: {outcome.stderr.strip()}")


def forward(bridge: str, *, wanted: bool) -> None:
    """Docker's rules drop what passes through bridges that are not its own; this is the exception."""
    program = shutil.which("iptables", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return
    rule = ["FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"]
    command = [program, "--wait", "5"]
    there = not subprocess.run(
        [*command, "-C", *rule], capture_output=True, timeout=10, check=False
    ).returncode
    if there != wanted:
        change = [*command, "-I" if wanted else "-D", *rule]
        outcome = subprocess.run(change, capture_output=True, text=True, timeout=10, check=False)
        if outcome.returncode:
            raise Refused(f"iptables: {outcome.stderr.strip()}")


def exists(link: str) -> bool:
    return Path("/sys/class/net", link).exists()


class SimpleBridge(NetworkDriver):
    def __init__(self, state: State) -> None:
        self._state = state

    def create_network(self, request: CreateNetwork) -> None:
        options = dict(request.driver_options)
        bridge = options.pop("bridge", f"sb-{request.network_id[:8]}")
        mtu = options.pop("mtu", "1500")
        gateways = [block.gateway for block in (*request.ipv4_data, *request.ipv6_data) if block.gateway]
        if options:
            raise Refused(f"unknown option {min(options)}: there are bridge and mtu")
        self._refuse_conflicts(request.network_id, bridge)
        self._state["networks"][request.network_id] = {"bridge": bridge, "mtu": mtu, "gateways": gateways}
        self._state.save()
        try:
            if not exists(bridge):
                ip("link", "add", bridge, "mtu", mtu, "type", "bridge")
            for gateway in gateways:
                ip("address", "replace", gateway, "dev", bridge, *(["nodad"] if ":" in gateway else []))
            ip("link", "set", bridge, "up")
            forward(bridge, wanted=True)
        except Refused:
            self._forget(request.network_id)  # nobody deletes a network that could not be created
            raise

    def _refuse_conflicts(self, network_id: str, bridge: str) -> None:
        holder = next(
            (key for key, known in self._state["networks"].items() if known["bridge"] == bridge), None
        )
        if holder not in {None, network_id}:
            raise Refused(f"bridge {bridge} belongs to network {holder[:12]}")
        if holder is None and exists(bridge):
            raise Refused(f"there is an interface {bridge} already")

    def delete_network(self, request: DeleteNetwork) -> None:
        if request.network_id in self._state["networks"]:
            self._forget(request.network_id)

    def _forget(self, network_id: str) -> None:
        bridge = self._state["networks"][network_id]["bridge"]
        forward(bridge, wanted=False)
        if exists(bridge):
            ip("link", "delete", bridge)
        del self._state["networks"][network_id]
        self._state.save()

    def create_endpoint(self, request: CreateEndpoint) -> CreatedEndpoint:
        self._network(request.network_id)
        given = request.interface
        mac = "" if given is None else given.mac_address
        self._state["endpoints"][request.endpoint_id] = {"network": request.network_id, "mac": mac}
        self._state.save()
        return CreatedEndpoint(
            interface=None if mac else AnsweredInterface(mac_address=_mac(request.endpoint_id))
        )

    def delete_endpoint(self, request: DeleteEndpoint) -> None:
        _delete_pair(request.endpoint_id)
        if self._state["endpoints"].pop(request.endpoint_id, None):
            self._state.save()

    def join(self, request: Join) -> Joined:
        network = self._network(request.network_id)
        outer, inner = _pair(request.endpoint_id)
        _delete_pair(request.endpoint_id)  # of a first attempt, whose other end may be anywhere
        ip(
            "link",
            "add",
            outer,
            "mtu",
            network["mtu"],
            "type",
            "veth",
            "peer",
            "name",
            inner,
            "mtu",
            network["mtu"],
        )
        ip("link", "set", outer, "master", network["bridge"], "up")
        ways_out = [ipaddress.ip_interface(gateway).ip for gateway in network["gateways"]]
        return Joined(
            interface_name=InterfaceName(src_name=inner, dst_prefix="eth"),
            gateway=next((str(address) for address in ways_out if address.version == 4), ""),
            gateway_ipv6=next((str(address) for address in ways_out if address.version == 6), ""),
        )

    def leave(self, request: Leave) -> None:
        _delete_pair(request.endpoint_id)

    def _network(self, network_id: str) -> dict[str, Any]:
        network: dict[str, Any] | None = self._state["networks"].get(network_id)
        if network is None:
            raise Refused(f"network {network_id[:12]} is not known here")
        return network


def _pair(endpoint_id: str) -> tuple[str, str]:
    """Names of the end in the bridge and of the one for the sandbox: at most 15 characters."""
    return f"sbo-{endpoint_id[:10]}", f"sbi-{endpoint_id[:10]}"


def _delete_pair(endpoint_id: str) -> None:
    outer, _ = _pair(endpoint_id)
    if exists(outer):
        ip("link", "delete", outer)


def _mac(endpoint_id: str) -> str:
    """Locally administered, and the same whenever it is asked for."""
    return ":".join(("02", *(endpoint_id[at : at + 2] for at in range(0, 10, 2))))


class SimpleAddresses(IpamDriver):
    """`requires_mac_address`, because it tells a repeated request from another endpoint's."""

    requires_mac_address = True
    local_address_space = "simple-local"
    global_address_space = "simple-global"

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def _pools(self) -> dict[str, Any]:
        return self._state["pools"]

    def request_pool(self, request: RequestPool) -> Pool:
        if request.options:
            raise Refused(f"unknown option {min(request.options)}: there are none")
        wanted = ipaddress.ip_network(request.pool) if request.pool else self._free_block(v6=request.v6)
        holder = self._overlapping(wanted)
        # A pool without any address in it was requested by somebody who never heard the answer.
        if holder is not None and (holder != str(wanted) or self._pools[holder]["addresses"]):
            raise Refused(f"{wanted} overlaps with {holder}, which is in use")
        self._pools[str(wanted)] = {"range": request.sub_pool or str(wanted), "addresses": {}}
        self._state.save()
        return Pool(pool_id=str(wanted), pool=str(wanted))

    def _free_block(self, *, v6: bool) -> Prefix:
        block, length = DEFAULT_BLOCKS[v6]
        for candidate in ipaddress.ip_network(block).subnets(new_prefix=length):
            holder = self._overlapping(candidate)
            if holder is None or (holder == str(candidate) and not self._pools[holder]["addresses"]):
                return candidate
        raise Refused(f"every pool of {block} is in use")

    def _overlapping(self, wanted: Prefix) -> str | None:
        return next((held for held in self._pools if wanted.overlaps(ipaddress.ip_network(held))), None)

    def release_pool(self, request: ReleasePool) -> None:
        if self._pools.pop(request.pool_id, None):
            self._state.save()

    def request_address(self, request: RequestAddress) -> GivenAddress:
        pool = self._pools.get(request.pool_id)
        if pool is None:
            raise Refused(f"pool {request.pool_id} is not known here")
        prefix, taken = ipaddress.ip_network(request.pool_id), pool["addresses"]
        owner = _owner(request)
        address = str(ipaddress.ip_address(request.address)) if request.address else ""
        if not address:
            address = _held(taken, owner) or _next(pool)
        if ipaddress.ip_address(address) not in prefix:
            raise Refused(f"{address} is not in {prefix}")
        if taken.setdefault(address, owner) != owner:
            raise Refused(f"{address} belongs to {taken[address]}")
        self._state.save()
        return GivenAddress(address=f"{address}/{prefix.prefixlen}")

    def release_address(self, request: ReleaseAddress) -> None:
        pool = self._pools.get(request.pool_id)
        if pool is not None and pool["addresses"].pop(request.address, None):
            self._state.save()


def _owner(request: RequestAddress) -> str:
    options = request.options or {}
    return "the gateway" if GATEWAY in options.values() else options.get(MAC, "nobody here")


def _held(taken: dict[str, str], owner: str) -> str | None:
    return next((address for address, holder in taken.items() if holder == owner != "nobody here"), None)


def _next(pool: dict[str, Any]) -> str:
    """The first free one after the last given: neighbours still know the MAC address of one just released."""
    block, taken = ipaddress.ip_network(pool["range"]), pool["addresses"]
    last = ipaddress.ip_address(pool.get("last") or block[0])
    later = (address for address in block.hosts() if int(address) > int(last))
    free = next((str(address) for address in chain(later, block.hosts()) if str(address) not in taken), None)
    if free is None:
        raise Refused(f"every address of {block} is in use")
    pool["last"] = free
    return free


if __name__ == "__main__":
    kept = State(Path(os.environ.get("SIMPLE_BRIDGE_STATE", "/var/lib/simple-bridge/state.json")))
    main(SimpleBridge(kept), SimpleAddresses(kept), name="simple", arguments=sys.argv[1:])
