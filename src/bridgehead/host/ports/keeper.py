"""The process's contents: one socket for each port held, and a relay behind those that rules cannot serve."""

import os
import socket

from bridgehead.core.plan.key import Key
from bridgehead.core.plan.objects import PortHold
from bridgehead.host.companion.loop import Loop
from bridgehead.host.companion.wire import Json, Message, NotUnderstood, exactly, items, number, text
from bridgehead.host.ports import sockets, wire
from bridgehead.host.ports.allowance import Allowance, of_this_process
from bridgehead.host.ports.drain import drain
from bridgehead.host.ports.tcp_relay import TcpRelay
from bridgehead.host.ports.udp_relay import UdpRelay

_CARRIED = {"tcp": TcpRelay, "udp": UdpRelay}


class KeptPort:
    """`hold` is what it is held for; its relay may change, its socket never does."""

    __slots__ = ("hold", "relay", "socket")

    def __init__(self, hold: PortHold, kept: socket.socket) -> None:
        self.hold = hold
        self.socket = kept
        self.relay: TcpRelay | UdpRelay | None = None

    def lead(self, loop: Loop, hold: PortHold, allowance: Allowance) -> None:
        """From now on to where `hold` says. What an earlier target was sent ends here."""
        relayed = self.relay is not None
        self.silence()
        self.hold = hold
        if hold.relay is None:
            if relayed:
                sockets.turn_away(self.socket)
            return
        address, port = hold.relay
        self.relay = _CARRIED[hold.protocol](loop, self.socket, (str(address), port), allowance)
        sockets.let_hear(self.socket)

    def silence(self) -> None:
        if self.relay is not None:
            sockets.deafen(self.socket)
            self.relay.close()
            self.relay = None


class Keeper:
    protocol = wire.PROTOCOL

    def __init__(self, loop: Loop, inherited: Json = None) -> None:
        self._loop = loop
        self._allowance = of_this_process()
        self._ports: dict[Key, KeptPort] = {}
        for entry in items(inherited or []):
            descriptor, fields = exactly(2, entry)
            hold = wire.hold(fields)
            self._keep(hold, sockets.inherited(hold, number(descriptor)))

    @property
    def serving(self) -> bool:
        return bool(self._ports)

    def observe(self) -> Message:
        return {"holds": [wire.fields(port.hold) for port in self._ports.values()]}

    def change(self, change: Json) -> Json:
        try:
            match items(change):
                case ["put", fields]:
                    self._put(wire.hold(fields))
                case ["drop", protocol, address, port]:
                    self._drop(("port-hold", text(protocol), text(address), str(number(port))))
                case _:
                    return [0, f"unknown change {change!r:.80}"]
        except (NotUnderstood, ValueError) as error:
            return [0, str(error)]
        except OSError as error:
            return [error.errno or 0, error.strerror or str(error)]
        return None

    def hand_over(self) -> Json:
        """Sockets stay open for it. Connections under way go on in a process that ends with them."""
        relays = [port.relay for port in self._ports.values() if isinstance(port.relay, TcpRelay)]
        connections = [connection for relay in relays for connection in relay.connections()]
        if connections:
            drain(connections)
        held: list[Json] = []
        for port in self._ports.values():
            descriptor = port.socket.fileno()
            os.set_inheritable(descriptor, True)
            held.append([descriptor, wire.fields(port.hold)])
        return held

    def _put(self, hold: PortHold) -> None:
        if hold.relay is not None and hold.protocol not in _CARRIED:
            raise ValueError(f"what comes by {hold.protocol} cannot be carried to a container by hand")
        port = self._ports.get(hold.key)
        if port is None:
            self._keep(hold, sockets.opened(hold))
        elif port.hold != hold:
            port.lead(self._loop, hold, self._allowance)

    def _keep(self, hold: PortHold, kept: socket.socket) -> None:
        port = KeptPort(hold, kept)
        try:
            port.lead(self._loop, hold, self._allowance)
        except OSError:
            kept.close()
            raise
        self._ports[hold.key] = port

    def _drop(self, key: Key) -> None:
        port = self._ports.pop(key, None)
        if port is not None:
            port.silence()
            port.socket.close()
