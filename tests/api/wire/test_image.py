"""Images of strangers: nothing in a configuration may keep the others from being shown."""

import json

import pytest

from bridgehead.api.wire import image as wire
from bridgehead.core.images import config
from bridgehead.core.layout import Layout
from bridgehead.core.model.container import Image
from bridgehead.core.model.ids import ImageID

STRANGE = {
    "nulls": {
        "author": None,
        "variant": None,
        "docker_version": None,
        "comment": None,
        "container_config": None,
    },
    "other types": {"author": 5, "docker_version": [1], "container_config": "x", "container": {}},
    "null history": {"history": [{"created_by": None, "comment": None, "created": None}]},
    "no times": {"created": "whenever", "history": [{"created": "\0", "empty_layer": True}]},
    "nothing": {},
}


@pytest.mark.parametrize("document", STRANGE.values(), ids=STRANGE)
def test_a_strange_configuration_is_shown_all_the_same(document: dict[str, object]) -> None:
    text = json.dumps(document)
    config.parse(text.encode())
    image = Image(ImageID(f"sha256:{'0' * 64}"), (), config=text, created=str(document.get("created", "")))

    shown = wire.show_whole(image, Layout("/data", "/run"))

    assert (shown["Author"], shown["Variant"], shown["DockerVersion"], shown["Comment"]) == ("", "", "", "")
    assert shown["ContainerConfig"] == {}
    assert wire.show(image, 0)["Size"] == 0
    assert [step["CreatedBy"] for step in wire.show_history(image, {})] == [""]


def _image(letter: str, *layers: str) -> Image:
    text = json.dumps(
        {"rootfs": {"diff_ids": list(layers)}, "history": [{"created_by": name} for name in layers]}
    )
    return Image(ImageID(letter), layers, config=text, size=99)


def test_history_gives_each_step_the_size_of_its_layer() -> None:
    image = _image("a", "low", "high")

    steps = wire.show_history(image, {"low": 1, "high": 2})

    assert [(step["CreatedBy"], step["Size"]) for step in steps] == [("high", 2), ("low", 1)]


def test_layers_of_several_images_are_shared() -> None:
    images = [_image("a", "low", "one"), _image("b", "low", "two"), _image("c", "own")]

    assert wire.shared_sizes(images, {"low": 5, "one": 1, "two": 2, "own": 3}) == {"a": 5, "b": 5, "c": 0}
