"""dockerd's flags by their names, the same as keys of daemon.json, and what each of them is for.

This table is all there is: reading, `--help`, reloading and the test of `docs/daemon.md` go by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridgehead.core.layout import Layout
from bridgehead.core.settings import DaemonOptions
from bridgehead.daemon import kinds
from bridgehead.daemon.doors import Doors
from bridgehead.daemon.kinds import Kind

DEFAULT_HOST = "unix:///run/bridgehead/bridgehead.sock"
DEFAULT_CONFIG_FILE = "/etc/bridgehead/daemon.json"
LEVELS = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Flag:
    """`key`: its name in daemon.json, '' when the file cannot have it. `reloads`: a SIGHUP is enough."""

    name: str
    kind: Kind
    default: Any
    meaning: str
    key: str = ""
    short: str = ""
    reloads: bool = False


def _flag(
    name: str,
    kind: Kind,
    default: Any,
    meaning: str,
    *,
    key: str = "",
    short: str = "",
    reloads: bool = False,
) -> Flag:
    return Flag(name, kind, default, meaning, key or name, short, reloads)


FLAGS = (
    _flag(
        "host",
        kinds.TEXTS,
        (DEFAULT_HOST,),
        "where to listen: unix:///absolute/path or tcp://ADDRESS:PORT",
        key="hosts",
        short="H",
    ),
    _flag("tls", kinds.TRUTH, None, "speak TLS on tcp; implied by --tlsverify. false: listen without it"),
    _flag("tlsverify", kinds.TRUTH, None, "let only clients in whose certificate --tlscacert has signed"),
    _flag(
        "tlscacert",
        kinds.TEXT,
        "/etc/bridgehead/ca.pem",
        "certificates that clients are trusted by",
        reloads=True,
    ),
    _flag("tlscert", kinds.TEXT, "/etc/bridgehead/cert.pem", "the daemon's certificate", reloads=True),
    _flag("tlskey", kinds.TEXT, "/etc/bridgehead/key.pem", "the daemon's private key", reloads=True),
    _flag("data-root", kinds.TEXT, "/var/lib/bridgehead", "where everything that lasts is kept"),
    _flag("exec-root", kinds.TEXT, "/run/bridgehead", "where everything that runs is kept"),
    _flag("pidfile", kinds.TEXT, "/run/bridgehead.pid", "file for the daemon's process id", short="p"),
    Flag("config-file", kinds.TEXT, DEFAULT_CONFIG_FILE, "the file with the same options as JSON"),
    _flag("debug", kinds.TRUTH, False, "log everything", short="D", reloads=True),
    _flag("log-level", kinds.TEXT, "info", f"one of {', '.join(LEVELS)}", short="l", reloads=True),
    _flag("group", kinds.TEXT, "docker", "group that may use the socket"),
    _flag("label", kinds.LABELS, (), "key=value shown by info", key="labels", reloads=True),
    Flag("plan", kinds.TRUTH, False, "print what a start would change, and change nothing"),
    _flag("bridge", kinds.TEXT, "", "existing bridge to use in docker0's place, or none", short="b"),
    _flag("bip", kinds.INTERFACE4, None, "address of docker0, which also gives its subnet"),
    _flag("bip6", kinds.INTERFACE6, None, "IPv6 address of docker0, which also gives its subnet"),
    _flag("fixed-cidr", kinds.PREFIX4, None, "part of docker0's subnet that containers get addresses of"),
    _flag("fixed-cidr-v6", kinds.PREFIX6, None, "IPv6 subnet of docker0; with --bip6, a part of its subnet"),
    _flag("default-gateway", kinds.ADDRESS4, None, "where containers on docker0 send what leaves"),
    _flag("default-gateway-v6", kinds.ADDRESS6, None, "the same for IPv6"),
    _flag("mtu", kinds.NUMBER, 0, "MTU of docker0 and what is plugged into it; 0: as the uplink"),
    _flag("icc", kinds.TRUTH, True, "containers on docker0 may talk to each other"),
    _flag("ip", kinds.ADDRESS, None, "host address that -p on docker0 publishes at; none: all of them"),
    _flag("ip-forward", kinds.TRUTH, True, "turn forwarding on in the kernel"),
    _flag("ip-masq", kinds.TRUTH, True, "masquerade what leaves docker0"),
    _flag("iptables", kinds.TRUTH, True, "manage firewall rules at all, whatever the backend"),
    _flag("ip6tables", kinds.TRUTH, True, "manage rules for IPv6; without them nothing of it is masqueraded"),
    _flag("ipv6", kinds.TRUTH, False, "IPv6 on docker0"),
    _flag("firewall-backend", kinds.TEXT, "auto", "auto, iptables or nftables"),
    _flag(
        "allow-direct-routing",
        kinds.TRUTH,
        False,
        "published ports may be reached at the container's own address",
    ),
    _flag("userland-proxy", kinds.TRUTH, True, "carry by hand what no rule can"),
    _flag("dns", kinds.SERVERS, (), "name servers for containers without their own", reloads=True),
    _flag("dns-search", kinds.DOMAINS, (), "search domains for containers without their own", reloads=True),
    _flag(
        "dns-opt",
        kinds.TEXTS,
        (),
        "resolver options for containers without their own",
        key="dns-opts",
        reloads=True,
    ),
    _flag(
        "default-address-pool",
        kinds.POOLS,
        (),
        "blocks for networks without a subnet, in place of Docker's",
        key="default-address-pools",
        reloads=True,
    ),
    _flag(
        "default-network-opt",
        kinds.NETWORK_OPTIONS,
        (),
        "options of new networks that do not give them",
        key="default-network-opts",
        reloads=True,
    ),
    _flag(
        "host-gateway-ip",
        kinds.ADDRESS,
        None,
        "what host-gateway means in --add-host; none: docker0's address",
        reloads=True,
    ),
    _flag(
        "insecure-registry",
        kinds.REGISTRIES,
        (),
        "host[:port] or CIDR of registries that may lack a certificate, or TLS",
        key="insecure-registries",
        reloads=True,
    ),
    _flag(
        "registry-mirror",
        kinds.MIRRORS,
        (),
        "URL of a mirror of Docker Hub, asked before it",
        key="registry-mirrors",
        reloads=True,
    ),
    _flag(
        "live-restore",
        kinds.TRUTH,
        True,
        "accepted; containers outlive this daemon in any case",
        reloads=True,
    ),
)
BY_NAME = {flag.name: flag for flag in FLAGS}
BY_SHORT = {flag.short: flag for flag in FLAGS if flag.short}
BY_KEY = {flag.key: flag for flag in FLAGS if flag.key}


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked. `values`: what each flag came to, by its name, wherever from."""

    hosts: tuple[str, ...] = (DEFAULT_HOST,)
    data_root: str = "/var/lib/bridgehead"
    exec_root: str = "/run/bridgehead"
    pidfile: str = "/run/bridgehead.pid"
    debug: bool = False
    log_level: str = "info"
    group: str = "docker"
    plan: bool = False
    labels: tuple[str, ...] = ()
    doors: Doors = field(default_factory=lambda: Doors(paths=()), compare=False)
    options: DaemonOptions = field(default_factory=DaemonOptions)
    values: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def layout(self) -> Layout:
        return Layout(self.data_root, self.exec_root)

    @property
    def level(self) -> str:
        return "debug" if self.debug else self.log_level
