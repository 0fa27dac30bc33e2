import pytest

from bridgehead.core.images import merge
from bridgehead.core.images.config import ImageDefaults
from bridgehead.core.model.container import ProcessSpec
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.requests import ContainerRequest

Words = tuple[str, ...]
IMAGE = ImageDefaults(entrypoint=("/init",), command=("serve", "-f"))


@pytest.mark.parametrize(
    ("entrypoint", "command", "expected"),
    [
        pytest.param(None, None, ("/init", "serve", "-f"), id="all from the image"),
        pytest.param(None, (), ("/init", "serve", "-f"), id="an empty command is none"),
        pytest.param(None, ("help",), ("/init", "help"), id="a command goes to the image's entrypoint"),
        pytest.param(("sh",), None, ("sh",), id="an entrypoint takes the image's command away"),
        pytest.param(("sh",), ("-c", "x"), ("sh", "-c", "x"), id="both"),
        pytest.param(("",), ("ls",), ("ls",), id="no entrypoint at all"),
        pytest.param((), ("ls",), ("ls",), id="an empty list is no entrypoint"),
        pytest.param((), None, ("serve", "-f"), id="an empty list keeps the image's command"),
    ],
)
def test_command_follows_dockers_rule(
    entrypoint: Words | None, command: Words | None, expected: Words
) -> None:
    request = ContainerRequest(name="", image="i", entrypoint=entrypoint, command=command)

    assert expected == merge.command(request, IMAGE)


@pytest.mark.parametrize(
    ("entrypoint", "defaults"), [(None, ImageDefaults()), (("",), IMAGE), (("",), ImageDefaults())]
)
def test_nothing_to_run_is_refused(entrypoint: Words | None, defaults: ImageDefaults) -> None:
    request = ContainerRequest(name="", image="i", entrypoint=entrypoint)

    with pytest.raises(InvalidParameter, match="no command specified"):
        merge.command(request, defaults)


def test_the_users_variables_win_by_name() -> None:
    request = ContainerRequest(name="", image="i", environment=("B=mine", "EMPTY", "AA=1"))
    defaults = ImageDefaults(environment=("A=image", "B=image", "EMPTY=image"))

    assert merge.environment(request, defaults) == ("B=mine", "EMPTY", "AA=1", "A=image")


def test_a_process_takes_what_the_user_left_out_from_the_image() -> None:
    defaults = ImageDefaults(command=("sh",), working_directory="/srv", user="nobody")
    silent = ContainerRequest(name="", image="i")
    explicit = ContainerRequest(name="", image="i", working_directory="/tmp", user="0", tty=True)

    assert ProcessSpec(("sh",), (), "/srv", "nobody") == merge.process(silent, defaults)
    assert ProcessSpec(("sh",), (), "/tmp", "0", tty=True) == merge.process(explicit, defaults)
    assert merge.process(silent, ImageDefaults(command=("sh",))).working_directory == "/"


def test_ports_labels_and_stop_signal_add_up() -> None:
    request = ContainerRequest(name="", image="i", exposed_ports=("80/tcp",), labels={"a": "user"})
    defaults = ImageDefaults(
        exposed_ports=("80/tcp", "443/tcp"), labels={"a": "image", "b": "image"}, stop_signal="SIGINT"
    )

    assert merge.exposed_ports(request, defaults) == ("80/tcp", "443/tcp")
    assert merge.labels(request, defaults) == {"a": "user", "b": "image"}
    assert merge.stop_signal(request, defaults) == "SIGINT"
    assert merge.stop_signal(request, ImageDefaults()) == "SIGTERM"


def test_ports_of_an_image_are_spelled_like_those_of_a_request() -> None:
    defaults = ImageDefaults(exposed_ports=("80", "53/UDP", "7000-7001/tcp"))

    found = merge.exposed_ports(ContainerRequest(name="", image="i"), defaults)

    assert found == ("80/tcp", "53/udp", "7000/tcp", "7001/tcp")


@pytest.mark.parametrize("port", ["web/tcp", "80/icmp", "99999/tcp", "", "9-8/tcp"])
def test_an_image_that_exposes_what_is_no_port_makes_no_container(port: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid port specification"):
        merge.exposed_ports(ContainerRequest(name="", image="i"), ImageDefaults(exposed_ports=(port,)))
