import pytest

from bridgehead.core.images import config
from bridgehead.core.images.config import ImageDefaults
from bridgehead.core.model.container import Image
from bridgehead.core.model.errors import InvalidParameter
from bridgehead.core.model.ids import ImageID

LAYER = f"sha256:{'1' * 64}"


def image(document: str) -> Image:
    return Image(id=ImageID("sha256:0"), layers=(), config=document)


def test_defaults_read_every_field() -> None:
    document = """{"config": {"User": "nobody", "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Env": ["A=1"],
        "Entrypoint": ["/init"], "Cmd": ["serve"], "Volumes": {"/data": {}}, "WorkingDir": "/srv",
        "Labels": {"a": "b"}, "StopSignal": "SIGINT", "OnBuild": null}}"""

    found = config.defaults(image(document))

    assert (
        ImageDefaults(
            entrypoint=("/init",),
            command=("serve",),
            environment=("A=1",),
            working_directory="/srv",
            user="nobody",
            exposed_ports=("80/tcp", "53/udp"),
            labels={"a": "b"},
            stop_signal="SIGINT",
            volumes=("/data",),
        )
        == found
    )


@pytest.mark.parametrize(
    "document",
    ["{}", '{"config": null}', '{"config": {"Cmd": null, "Env": null, "Entrypoint": null, "Labels": null}}'],
)
def test_an_image_may_say_nothing(document: str) -> None:
    assert ImageDefaults() == config.defaults(image(document))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "invalid image configuration"),
        (b"[]", "invalid image configuration"),
        (b'{"config": {"Env": "A=1"}}', "invalid image configuration"),
        (b'{"config": {"User": "\xff"}}', "invalid image configuration"),
        (b'{"x": ' + b"[" * 100_000, "invalid image configuration"),
        (b'{"os": "windows"}', "cannot load windows image on linux"),
        (b'{"rootfs": {"type": "layers", "diff_ids": ["sha256:../../etc"]}}', "is no layer digest"),
        (
            b'{"rootfs": {"diff_ids": [' + b",".join([b'"%s"' % LAYER.encode()] * 126) + b"]}}",
            "max depth exceeded",
        ),
    ],
)
def test_a_hostile_configuration_is_refused(document: bytes, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        config.parse(document)


def test_equal_layers_are_mounted_once_and_the_topmost_counts() -> None:
    assert config.stack(("a", "b", "a", "c")) == ("b", "a", "c")
