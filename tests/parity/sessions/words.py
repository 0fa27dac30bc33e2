"""Commands that several sessions use, and differences that several have."""

from tests.parity.difference import Difference


def inside(name: str) -> str:
    return f"exec {name} sh -c 'ip address show; ip route; cat /etc/hosts /etc/resolv.conf'"


def networks(name: str) -> str:
    one = "{{$name}} {{$n.IPAddress}}/{{$n.IPPrefixLen}} via {{$n.Gateway}};"
    return f"inspect -f '{{{{range $name, $n := .NetworkSettings.Networks}}}}{one}{{{{end}}}}' {name}"


def state(name: str) -> str:
    fields = ("State.Status", "State.Running", "State.Paused", "State.ExitCode", "RestartCount", "Name")
    return f"inspect -f '{' '.join(f'{{{{.{field}}}}}' for field in fields)}' {name}"


def links(name: str) -> str:
    return f"sorted: inspect -f '{{{{range .HostConfig.Links}}}}{{{{println .}}}}{{{{end}}}}' {name}"


def sleeper(name: str, options: str = "") -> str:
    return f"run -d --name {name} {options} busybox sleep 1000"


LOOPBACK_V6 = Difference(
    "the loopback interface keeps ::1, as Docker 27 and later",
    ours=r"out  (inet6 ::1/128 scope host|valid_lft forever preferred_lft forever)",
)
FAMILIES = Difference(
    "as Docker 28 and later, a network says whether it has IPv4",
    ours=r'out  "EnableIPv4": true,',
)
FILTER_CASE = Difference(
    "the wording of Docker 23 and later",
    oracle=r"err Error response from daemon: Invalid filter '.*'",
    ours=r"err Error response from daemon: invalid filter '.*'",
)
GATHERED = Difference(
    "as Docker 25 and later, everything wrong with an endpoint is said at once, under one heading",
    oracle=r"err (docker: )?Error .*: (user specified IP address is .*|invalid IPv4 address: .*)",
    ours=r"err ((docker: )?Error .*: invalid endpoint settings:|user specified IP .*|invalid IPv4 .*)",
)
HOLDER = Difference(
    "an address in use is said with its holder",
    oracle=r"err (docker: )?Error response from daemon: Address already in use",
    ours=r"err (docker: )?Error response from daemon: Address already in use: \S+ is .*",
)
EXEC_GOES_ON = Difference(
    "exec works on while a source is down, and sees neither its variables nor its name",
    oracle=r"exit 1|err Error response from daemon: Cannot link to a non running container: .*",
    ours=r"exit 0|out (127|::1|f[ef]0|172\.17|HOME|PATH|HOSTNAME)\S*( .*)?|err ping: bad address 'webdb'",
)
