"""From a request to a container record: the image's defaults merged in, references resolved, all checked."""

from collections.abc import Mapping
from dataclasses import replace

from bridgehead.core import container_rules, endpoint_options, health, naming
from bridgehead.core.endpoint_rules import check_together, check_wish
from bridgehead.core.images import merge
from bridgehead.core.images.config import ImageDefaults, defaults
from bridgehead.core.ipam import addresses
from bridgehead.core.model.container import Container, ContainerSpec
from bridgehead.core.model.errors import Conflict, InvalidParameter, NotFound
from bridgehead.core.model.ids import ContainerID, ImageID, short
from bridgehead.core.model.network import EndpointWish, Network
from bridgehead.core.model.requests import ContainerRequest
from bridgehead.core.model.snapshot import Snapshot
from bridgehead.core.model.volume import Volume
from bridgehead.core.time import rfc3339
from bridgehead.core.volumes import lent
from bridgehead.engine import sharing
from bridgehead.engine.images import find_image
from bridgehead.engine.intent import Intent
from bridgehead.engine.links import resolved
from bridgehead.engine.volumes import VolumeUseCases

_DEFAULT_STOP_S = 10


def decide(
    intent: Intent, volumes: VolumeUseCases, request: ContainerRequest
) -> tuple[Container, list[Volume]]:
    """The container, and the volumes that are made for it.

    Raises:
        NotFound: no such image.
        Conflict: the name is taken; its holder is named.
        InvalidParameter: see the message.
    """
    image = find_image(intent.snapshot, request.image)
    own = defaults(image)
    request = lent(intent.snapshot, request)
    container = record(intent, request, image.id, own)
    mounts, made = volumes.decide(request, own.volumes)
    return replace(container, spec=replace(container.spec, volumes=mounts)), made


def record(intent: Intent, request: ContainerRequest, image: ImageID, own: ImageDefaults) -> Container:
    """The request as a record, over what the image says of itself.

    Raises:
        Conflict, InvalidParameter: as `decide`.
    """
    snapshot = intent.snapshot
    identifier = ContainerID(intent.random.identifier())
    name = _name(snapshot, request.name, identifier)
    container_rules.check(request)
    request = sharing.with_processes(snapshot, sharing.settled(snapshot, request))
    mode = _mode(snapshot, request.network_mode)
    request, networks = _with_own_sysctls(request, _networks(snapshot, request, mode), mode)
    if intent.facts.options.bridge.absent and mode == "bridge":
        mode, networks = "none", {"none": EndpointWish()}  # --bridge=none: nothing but a loopback
    _check_networks(snapshot, identifier, networks)
    return Container(
        id=identifier,
        name=name,
        created=rfc3339(intent.clock.now()),
        image=image,
        image_reference=request.image,
        spec=replace(
            _spec(request, own, mode, request.hostname or _hostname(intent, mode, identifier)),
            links=resolved(snapshot, request.links),
        ),
        networks=networks,
        config_echo=request.config_echo,
        host_config_echo=request.host_config_echo,
    )


def warnings(container: Container) -> list[str]:
    """What will be without effect."""
    published = container.spec.published_ports or container.spec.publish_all
    if published and container.spec.network_mode == "host":
        return ["Published ports are discarded when using host network mode"]
    if container.spec.joins and (container.spec.dns_search or container.spec.dns_options):
        return ["DNS search domains and options are discarded when sharing another container's network"]
    return []


def free_name(snapshot: Snapshot, name: str) -> str:
    """The name, if it may be used and nobody has it."""
    name = naming.checked(name)
    holder = next((item for item in snapshot.containers.values() if item.name == name), None)
    if holder:
        raise Conflict(
            f'Conflict. The container name "/{name}" is already in use by container "{holder.id}". '
            "You have to remove (or rename) that container to be able to reuse that name."
        )
    return name


def _name(snapshot: Snapshot, wanted: str, identifier: str) -> str:
    if wanted:
        return free_name(snapshot, wanted)
    taken = {container.name for container in snapshot.containers.values()}
    name = naming.generated(int(identifier[:16], 16))
    return name if name not in taken else f"{name}_{identifier[:6]}"


def _mode(snapshot: Snapshot, text: str) -> str:
    if text in {"", "default"}:
        return "bridge"
    if text.startswith("container:"):
        return text
    try:
        return snapshot.find_network(text).name
    except NotFound:
        return text  # the network may be created before the container is started


def _networks(snapshot: Snapshot, request: ContainerRequest, mode: str) -> Mapping[str, EndpointWish]:
    if mode.startswith("container:"):
        return {}
    networks = {_mode(snapshot, name): wish for name, wish in request.networks.items()}
    main = networks.setdefault(mode, EndpointWish())
    if request.mac and not main.mac:
        networks[mode] = replace(main, mac=request.mac)
    elif request.mac and main.mac != request.mac:
        raise InvalidParameter(
            "the container-wide MAC address must match the endpoint-specific MAC address for the main "
            "network, or be left empty"
        )
    return networks


def _with_own_sysctls(
    request: ContainerRequest, networks: Mapping[str, EndpointWish], mode: str
) -> tuple[ContainerRequest, Mapping[str, EndpointWish]]:
    """`--sysctl net.ipv4.conf.eth0.x`, as clients said it before API 1.48, belongs to the main attachment."""
    kept, moved = endpoint_options.moved_from_container(request.sysctls)
    if not moved or mode not in networks or mode in {"host", "none"}:
        return request, networks
    wish = networks[mode]
    options = endpoint_options.with_sysctls(wish.driver_options, moved)
    return replace(request, sysctls=kept), {**networks, mode: replace(wish, driver_options=options)}


def _check_networks(snapshot: Snapshot, container: ContainerID, networks: Mapping[str, EndpointWish]) -> None:
    known: list[Network] = []
    names: dict[str, str] = {}
    for name, wish in networks.items():
        network = snapshot.network_named(name)
        check_wish(network, wish)
        interface = endpoint_options.interface_name(wish.driver_options)
        if interface and names.setdefault(interface, name) != name:
            raise InvalidParameter(
                f"interface name {interface} is asked for twice: {names[interface]}, {name}"
            )
        if network is None:
            continue
        known.append(network)
        if wish.addresses and network.addressed_by_plugin:
            addresses.check_located(network, wish)
        elif wish.addresses:
            addresses.request(network, addresses.holdings(snapshot, network, container), wish)
    check_together(known)


def _hostname(intent: Intent, mode: str, identifier: str) -> str:
    return intent.surroundings.names()[0] if mode == "host" else short(identifier)


def _spec(request: ContainerRequest, image: ImageDefaults, mode: str, hostname: str) -> ContainerSpec:
    return ContainerSpec(
        process=merge.process(request, image),
        hostname=hostname,
        domainname=request.domainname,
        network_mode=mode,
        binds=request.binds,
        tmpfs=request.tmpfs,
        limits=request.limits,
        confinement=request.confinement,
        restart=request.restart,
        auto_remove=request.auto_remove,
        privileged=request.privileged,
        cap_add=request.cap_add,
        cap_drop=request.cap_drop,
        read_only_rootfs=request.read_only_rootfs,
        dns=request.dns,
        dns_search=request.dns_search,
        dns_options=request.dns_options,
        extra_hosts=request.extra_hosts,
        exposed_ports=merge.exposed_ports(request, image),
        published_ports=request.published_ports,
        publish_all=request.publish_all,
        sysctls=request.sysctls,
        stop_signal=merge.stop_signal(request, image),
        stop_timeout_s=_DEFAULT_STOP_S if request.stop_timeout_s is None else request.stop_timeout_s,
        health=health.merged(request.health, image.health),
        shell=request.shell or image.shell,
        labels=merge.labels(request, image),
    )
