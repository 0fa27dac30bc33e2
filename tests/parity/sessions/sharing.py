"""Sessions of the modes without a network of one's own: another container's, the host's, and none."""

from tests.parity.difference import Difference
from tests.parity.sessions.words import GATHERED, LOOPBACK_V6, inside, sleeper, state

_FILES = "sh -c 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf'"
_ASKING = r"printf 'GET /hostname HTTP/1.0\r\n\r\n'"
_PORTS = "inspect -f '{{json .NetworkSettings.Ports}}'"


def _mode(name: str) -> str:
    return (
        "inspect -f '{{.HostConfig.NetworkMode}} {{json .NetworkSettings.Networks}} "
        f"{{{{.Config.Domainname}}}}' {name}"
    )


def _sandbox(name: str) -> str:
    return f"inspect -f '{{{{.NetworkSettings.SandboxID}}}} {{{{.NetworkSettings.SandboxKey}}}}' {name}"


def _refused(options: str, target: str = "x1") -> str:
    return f"run -d --name bad {options} --net container:{target} busybox sleep 1000"


SCENARIOS: dict[str, tuple[str, ...]] = {
    "shared": (
        "network create own",
        sleeper("x1", "-h box --domainname example.org --net own -p 8080:80 --add-host db:10.0.0.7"),
        sleeper("j1", "--net container:x1"),
        _mode("j1"),
        _sandbox("j1"),
        "inspect -f '{{.Config.Hostname}}' j1",
        _PORTS + " j1",
        "port j1",
        inside("j1"),
        f"exec j1 {_FILES}",
        "exec j1 nslookup -type=a x1",
        "exec j1 ping -c 1 -W 1 x1",
        "exec x1 sh -c 'echo 1.2.3.4 mine >> /etc/hosts'",
        "exec j1 grep mine /etc/hosts",
        "ps --format '{{.Names}} {{.Ports}}'",
        "ps --filter network=own --format {{.Names}}",
        "network inspect -f '{{len .Containers}}' own",
        "exec j1 httpd -p 80 -h /etc",
        f'exec x1 sh -c "{_ASKING} | nc -w 1 127.0.0.1 80 | tail -n 1"',
        f'machine: sh -c "{_ASKING} | busybox nc -w 1 127.0.0.1 8080 | tail -n 1"',
        "exec j1 ip link set lo down",
        "exec x1 ip link show lo",
        # One who joins a joiner is where that one is.
        sleeper("k1", "--net container:j1"),
        _mode("k1"),
        f"exec k1 {_FILES}",
        "network connect own j1",
        "network connect bridge k1",
        "network disconnect own j1",
        "network disconnect -f own j1",
        "network disconnect host j1",
        "network disconnect none j1",
        "rename x1 y1",
        _mode("j1"),
        "exec j1 hostname",
    ),
    "shared-refusals": (
        "network create own",
        sleeper("x1", "--net own"),
        _refused("", "nobody"),
        _refused("", ""),
        "run -d --name bad --net container busybox sleep 1000",
        _refused("-h other"),
        _refused("-p 80:80"),
        _refused("-P"),
        _refused("--expose 80"),
        _refused("--dns 9.9.9.9"),
        _refused("--add-host db:10.0.0.7"),
        _refused("--link x1:y"),
        _refused("--network-alias other"),
        "ps -a --format {{.Names}}",
        "create --name late --net container:x1 busybox sleep 1000",
        _mode("late"),
        state("late"),
        "network connect own late",
        "network disconnect own late",
        "stop -t 0 x1",
        "start late",
        state("late"),
        "inspect -f '{{.State.Error}}' late",
        sleeper("worse", "--net container:x1"),
        state("worse"),
        "start x1",
        "start late",
        state("late"),
        "stop -t 0 late",
        "rm -f x1",
        "start late",
        state("late"),
        "inspect -f '{{.State.Error}}' late",
        sleeper("x1", "--net own"),
        "start late",
        "create --name self --net container:self busybox sleep 1000",
        sleeper("odd", "--domainname example.org --net container:x1"),
        sleeper("searching", "--dns-search example.org --dns-opt ndots:3 --net container:x1"),
        "exec searching cat /etc/resolv.conf",
        sleeper("addressed", "--ip 172.18.0.9 --net container:x1"),
    ),
    "shared-plain": (
        sleeper("h1", "--net host"),
        sleeper("n1", "--net none"),
        sleeper("of-host", "--net container:h1"),
        sleeper("of-none", "--net container:n1"),
        _mode("of-host"),
        _mode("of-none"),
        _sandbox("of-host"),
        _sandbox("of-none"),
        "exec of-host sh -c 'hostname; ip -o link | wc -l; cat /etc/resolv.conf /etc/hosts'",
        "exec of-host cat /sys/class/net/docker0/operstate",
        f"exec of-none {_FILES}",
        "exec of-none ip -o link",
        "network connect bridge of-host",
        "network connect bridge of-none",
        "network disconnect host of-host",
        "network disconnect none of-none",
    ),
    "shared-links": (
        sleeper("owner", "--expose 80"),
        sleeper("joiner", "--net container:owner"),
        sleeper("web", "--link joiner:g"),
        "sorted: exec web env",
        "sorted: exec web cat /etc/hosts",
        "sorted: inspect -f '{{range .HostConfig.Links}}{{println .}}{{end}}' web",
        "exec web ping -c 1 -W 1 g",
        "rm -f owner",
        sleeper("late", "--link joiner:g"),
        sleeper("h1", "--net host"),
        sleeper("of-host", "--net container:h1"),
        sleeper("bad", "--link of-host:y"),
    ),
    "host-and-none": (
        "network create -d host second",
        "network create -d null second",
        "network rm host",
        "network rm none",
        sleeper("h1", "--net host"),
        sleeper("n1", "--net none"),
        _mode("h1"),
        _mode("n1"),
        "inspect -f '{{.NetworkSettings.SandboxKey}}' h1",
        "network inspect -f '{{range .Containers}}{{.Name}} {{.MacAddress}} {{.IPv4Address}}{{end}}' host",
        "network inspect -f '{{range .Containers}}{{.Name}} {{.MacAddress}} {{.IPv4Address}}{{end}}' none",
        "ps --filter network=host --format {{.Names}}",
        "ps --filter network=none --format {{.Names}}",
        "exec h1 sh -c 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf'",
        f"exec n1 {_FILES}",
        "exec n1 ip -o link",
        "network create own",
        "network connect own h1",
        "network connect own n1",
        "network connect host n1",
        "network connect none h1",
        sleeper("b1"),
        "network connect host b1",
        "network connect none b1",
        "network disconnect host h1",
        "network disconnect -f host h1",
        "network disconnect own h1",
        "network disconnect host b1",
        "network disconnect none b1",
        "network disconnect none n1",
        _mode("n1"),
        "network connect bridge n1",
        inside("n1"),
        "stop -t 0 h1",
        "network connect own h1",
        "network disconnect host h1",
        "start h1",
        _mode("h1"),
        "run --rm --net host -p 8080:80 --expose 90 busybox true",
        "run --rm --net host -P busybox true",
        "run --rm --net host --ip 10.0.0.9 busybox true",
        "run --rm --net host --network-alias other busybox true",
        "run --rm --net none --ip 10.0.0.9 busybox true",
        "run --rm --net none --network-alias other busybox true",
        "run --rm --net none -p 8080:80 busybox true",
        "run --rm --net none -h box --add-host db:10.0.0.7 busybox cat /etc/hosts /etc/hostname",
        "port h1",
    ),
}

_ERROR = r"(err (docker: )?Error response from daemon: |out )"
_OLD_HOST = "container cannot be disconnected from host network or connected to host network"

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "shared": (LOOPBACK_V6,),
    "shared-refusals": (
        Difference(
            "a container whose network does not exist is not created; and the wording of Docker 28 and later",
            oracle=_ERROR + r"No such container: (nobody|ID1)|out (ID|bad)",
            ours=_ERROR + "joining network namespace of container: No such container: (nobody|ID1|self)",
        ),
        Difference(
            "the wording of Docker 28 and later, which names the container",
            oracle=_ERROR + "cannot join network of a non running container: ID1",
            ours=_ERROR + "cannot join network namespace of a non running container: container x1 is exited",
        ),
        Difference(
            "the wording of Docker 23 and later",
            oracle=r"err .*: Invalid network mode: invalid container format container:<name\|id>",
            ours=r"err .*: invalid network mode: invalid container format container:<name\|id>",
        ),
        Difference(
            "what can never be, or has no effect, is refused also of a container that does not run",
            oracle="exit 0",
            ours=r"exit 1|err .*(cannot be connected to any other network|is not connected to network own)",
        ),
        Difference(
            "an address in a network of another's is refused, not ignored",
            oracle="exit 0|out ID",
            ours="exit 125|err (.*user specified IP .*|Run 'docker run --help' for more information)",
        ),
        Difference(
            "what has no effect is said",
            ours="err WARNING: DNS search domains and options are discarded .*",
        ),
    ),
    "shared-links": (
        Difference(
            "one wording for all sources that are gone",
            oracle="err .*: Could not get container for ID2: .*",
            ours="err .*: could not get container for ID2: .*",
        ),
    ),
    "host-and-none": (
        LOOPBACK_V6,
        GATHERED,
        Difference(
            "our namespaces are kept in a folder of ours",
            oracle="out /run/docker/netns/default",
            ours="out /run/bridgehead/netns/default",
        ),
        Difference(
            "the wording of Docker 28 and later",
            oracle=f"err .*: {_OLD_HOST}",
            ours="err .*: cannot (dis)?connect container (from|to) host network - .* in host network mode",
        ),
        Difference(
            "a container of the host's network stays in it, also while it does not run",
            oracle=r"exit 0|out host \{\}",
            ours=r"exit 1|out host \{\"host\".*",
        ),
        Difference(
            "what has no effect is said",
            ours="err WARNING: Published ports are discarded .*",
        ),
    ),
}
