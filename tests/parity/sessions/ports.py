"""Sessions about published ports, and where we mean to differ."""

from tests.parity.difference import Difference

SCENARIOS: dict[str, tuple[str, ...]] = {
    "ports": (
        "run -d --name web -p 8080:80 -p 127.0.0.1:8081:80 -p 5300:53/udp busybox sleep 1000",
        "sorted: port web",
        "sorted: port web 80",
        "port web 53/udp",
        "port web 81",
        (
            "sorted: inspect -f '{{range $port, $bound := .NetworkSettings.Ports}}{{range $bound}}"
            "{{$port}} {{.HostIp}} {{.HostPort}}{{println}}{{end}}{{end}}' web"
        ),
        "inspect -f '{{json .HostConfig.PortBindings}}' web",
        "ps --filter publish=8080 --format {{.Names}}",
        "ps --filter expose=53/udp --format {{.Names}}",
        "ps --filter publish=81 --format {{.Names}}",
        "run -d --name second -p 9100-9102:80 busybox sleep 1000",
        "run -d --name third -p 9100-9102:80 busybox sleep 1000",
        "sorted: port second",
        "sorted: port third",
        "run -d --name ranges -p 7000-7002:6000-6002 busybox sleep 1000",
        "sorted: port ranges",
        "run -d --name late -p 8080:80 busybox sleep 1000",
        "inspect -f '{{.State.Status}} {{.State.ExitCode}}' late",
        "run -d --name later -p 127.0.0.1:8080:80 busybox sleep 1000",
        "rm -f late later",
        "stop -t 0 web",
        "port web",
        "inspect -f '{{json .NetworkSettings.Ports}}' web",
        "run -d --name heir -p 8080:80 busybox sleep 1000",
        "start web",
        "rm -f heir",
        "start web",
        "sorted: port web",
        "run -d --name exposing --expose 90 --expose 91/udp busybox sleep 1000",
        "sorted: inspect -f '{{json .NetworkSettings.Ports}}' exposing",
        "port exposing",
        "network create mesh",
        "run -d --name meshed --net mesh -p 8090:80 busybox sleep 1000",
        "sorted: port meshed",
        "network create --internal closed",
        "run -d --name shut --net closed -p 8099:80 busybox sleep 1000",
        "run --rm --net host -p 8098:80 busybox true",
        "run --rm --net none -p 8097:80 busybox true",
        "run --rm -p 99999:80 busybox true",
        "run --rm -p 80:80/xyz busybox true",
    ),
}

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "ports": (
        Difference(
            "a port that is taken is said with its holder, and before anything is started",
            oracle=r"err .* (Bind for \S+ failed: port is already allocated|Error starting userland .*)",
            ours=r"err .* Bind for \S+ failed: port is already allocated \(by container (web|heir)\)",
        ),
    ),
}
