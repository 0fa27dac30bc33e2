"""A whole engine on the machine in memory, which can be cut off and begun again."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, NoReturn, cast

from bridgehead.core.desired import fragment, owners
from bridgehead.core.drivers.api import HostLink
from bridgehead.core.drivers.bridge import BridgeDriver
from bridgehead.core.drivers.ipvlan import IPVLAN
from bridgehead.core.drivers.macvlan import MACVLAN
from bridgehead.core.drivers.plain import PlainDriver
from bridgehead.core.facts import HostFacts
from bridgehead.core.firewall.nft import NftSpelling
from bridgehead.core.images.distribution import Credentials
from bridgehead.core.images.reference import Reference
from bridgehead.core.ipam.pools import PREDEFINED_POOLS, with_own_ipv6
from bridgehead.core.ipam.subnets import Occupied
from bridgehead.core.layout import Layout
from bridgehead.core.model.addresses import Address
from bridgehead.core.model.container import Image
from bridgehead.core.model.ids import ImageID
from bridgehead.core.model.requests import ContainerRequest, NetworkRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.plan.objects import State
from bridgehead.engine.engine import Adapters, Engine
from bridgehead.engine.intent import Intent
from bridgehead.engine.planes import Host
from bridgehead.engine.storage import Copies, Images
from bridgehead.engine.world import Logs, Runtime
from tests.sim.fakes import Disk, Machine, Processes, Strangers, Switch
from tests.sim.plugin import Plugin

IMAGE = Image(ImageID("sha256:" + "b" * 64), ("sha256:" + "c" * 64,), ("busybox:latest",))
FIREWALL = NftSpelling()
DRIVERS = (BridgeDriver(FIREWALL), MACVLAN, IPVLAN, PlainDriver("host"), PlainDriver("null"))
FACTS = HostFacts(
    Layout("/data", "/exec"),
    {driver.name: driver for driver in DRIVERS},
    firewall=FIREWALL,
    hostname="host",
    pools=with_own_ipv6(PREDEFINED_POOLS, "a host"),
)


class Layers:
    def sweep(self, keep: set[str]) -> None: ...


class Shelf:
    """Volumes whose content nobody asks for."""

    def make(self, name: str) -> None: ...

    def populate(self, name: str, rootfs: str, target: str) -> None: ...

    def size(self, name: str) -> int:
        return 0

    def remove(self, name: str) -> None: ...


class Quiet:
    """A host on which nothing but our containers uses ports."""

    def busy(self) -> tuple[()]:
        return ()

    def ephemeral(self) -> range:
        return range(32768, 32772)

    def everywhere(self) -> tuple[Address, ...]:
        return ip_address("0.0.0.0"), ip_address("::")


@dataclass
class Dice:
    thrown: int = 0

    def identifier(self) -> str:
        self.thrown += 1
        return f"{self.thrown:07x}" + "e" * 57

    def port(self) -> int:
        return 50000

    def mac(self) -> str:
        self.thrown += 1
        return f"02:00:00:00:{self.thrown >> 8:02x}:{self.thrown & 255:02x}"


class Clock:
    def now(self) -> int:
        return 1_700_000_000_000_000_000


@dataclass
class Around:
    """What the host uses beside us; tests add to it."""

    seen: list[Occupied] = field(default_factory=list)
    hostname: str = "host"
    hosts: str = ""

    def occupied(self, ours: Collection[str]) -> Sequence[Occupied]:
        return self.seen

    def names(self) -> tuple[str, str]:
        return self.hostname, self.hosts


@dataclass
class Parents:
    """The host's interfaces, and what its kernel can make; tests change both."""

    present: dict[str, HostLink] = field(default_factory=lambda: {"eth9": HostLink("eth9")})
    kinds: frozenset[str] = frozenset({"macvlan", "ipvlan", "vlan", "dummy"})

    def links(self, names: Collection[str]) -> Mapping[str, HostLink]:
        return {name: link for name, link in self.present.items() if name in names}

    def link_kinds(self, asked: Collection[str]) -> frozenset[str]:
        return self.kinds.intersection(asked)


class NoRegistries:
    """Nothing is pulled in here."""

    def repository(self, name: Reference, credentials: Credentials, *, push: bool = False) -> NoReturn:
        raise AssertionError(f"nobody pulls {name}")

    async def log_in(self, credentials: Credentials) -> str:
        raise AssertionError(f"nobody logs in to {credentials.server}")


@dataclass
class World:
    switch: Switch = field(default_factory=Switch)
    dice: Dice = field(default_factory=Dice)
    around: Around = field(default_factory=Around)
    parents: Parents = field(default_factory=Parents)
    strangers: Strangers = field(default_factory=Strangers)

    def __post_init__(self) -> None:
        self.machine = Machine(self.switch)
        self.disk = Disk(self.switch)
        self.processes = Processes(self.switch)
        self.plugin = Plugin(self.switch)
        self.disk.snapshot = Snapshot().put(IMAGE)
        self.engine = self._engine()

    def _engine(self) -> Engine:
        self.intent = Intent(
            self.disk, Host([self.machine]), FACTS, Clock(), self.dice, self.around, self.parents
        )
        adapters = Adapters(
            runtime=cast("Runtime", self.processes),
            ports=Quiet(),
            logs=cast("Logs", None),
            images=cast("Images", Layers()),
            plugins=self.plugin,
            namespaces=self.strangers,
            volumes=Shelf(),
            registries=NoRegistries(),
            copies=cast("Copies", None),
        )
        return Engine(self.intent, adapters)

    async def reborn(self) -> "World":
        """The old engine is gone without a word; a new one finds the same machine and disk."""
        await vanish()
        self.switch.cut_before = self.switch.refuse_at = -1
        self.switch.dark = False
        self.engine = self._engine()
        await self.engine.begin()
        return self

    def desired(self) -> State:
        wanted: State = {}
        for owner in owners(self.engine.snapshot):
            wanted |= fragment(self.engine.snapshot, owner, FACTS)
        return wanted

    async def network(self, name: str, **words: Any) -> None:
        await self.engine.networks.create(NetworkRequest(name, **words))

    async def run(self, name: str, network: str, **words: Any) -> None:
        await self.create(name, network, **words)
        await self.engine.containers.start(name)

    async def create(self, name: str, network: str, **words: Any) -> None:
        request = ContainerRequest(name, "busybox", command=("sh",), network_mode=network, **words)
        await self.engine.containers.create(request)


Act = Callable[[World], Awaitable[None]]


async def begun() -> World:
    world = World()
    await world.engine.begin()
    return world


async def cut_at(world: World, act: Act, effect: int) -> None:
    """Do `act`, and cut the power right before its effect number `effect`."""
    world.switch.effects = 0
    world.switch.cut_before = effect
    task = asyncio.ensure_future(act(world))
    async with asyncio.timeout(5):
        while not task.done() and not world.switch.dark:  # noqa: ASYNC110 - darkness falls in a thread
            await asyncio.sleep(0.001)
    await vanish()


async def vanish() -> None:
    """Everything the engine was about to do is gone, as after a kill."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
