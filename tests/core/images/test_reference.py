import pytest

from bridgehead.core.images import reference
from bridgehead.core.model.errors import InvalidParameter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("busybox", "busybox:latest"),
        ("busybox:1.36", "busybox:1.36"),
        ("library/busybox", "busybox:latest"),
        ("docker.io/library/busybox:1", "busybox:1"),
        ("index.docker.io/user/tool", "user/tool:latest"),
        ("docker.io/library/a/b", "library/a/b:latest"),
        ("registry.example:5000/team/tool:v2", "registry.example:5000/team/tool:v2"),
        ("localhost/tool", "localhost/tool:latest"),
        ("[fe80::1]:5000/tool", "[fe80::1]:5000/tool:latest"),
        ("UPPER/tool", "UPPER/tool:latest"),
        (f"busybox@sha256:{'a' * 64}", f"busybox@sha256:{'a' * 64}"),
        ("x/a__b.c-d--e:_x.Y-Z", "x/a__b.c-d--e:_x.Y-Z"),
    ],
)
def test_a_name_has_one_familiar_form(text: str, expected: str) -> None:
    found = reference.normalise(text)

    assert expected == found
    assert expected == reference.normalise(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "invalid reference format"),
        (":tag", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a..b", "invalid reference format"),
        ("a/../b", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("[:::::]:5000/a", "invalid reference format"),
        ("host:65536/a", "invalid reference format"),
        ("1000:5000/a", "invalid reference format"),
        ("1.2.3.256/a", "invalid reference format"),
        ("host:999999999999/a", "invalid reference format"),
        ("a\n", "invalid reference format"),
        ("a:é", "invalid reference format"),
        (f"a:{'t' * 129}", "invalid reference format"),
        ("a@sha256:abc", "invalid reference format"),
        ("Busybox", "invalid reference format: repository name (library/Busybox) must be lowercase"),
        ("a" * 256, "repository name must not be more than 255 characters"),
        ("a" * 64, f"invalid repository name ({'a' * 64}), cannot specify 64-byte hexadecimal strings"),
    ],
)
def test_an_invalid_name_is_refused_in_dockers_words(text: str, words: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        reference.normalise(text)

    assert words == refusal.value.message


def test_a_digest_is_no_tag() -> None:
    with pytest.raises(InvalidParameter, match="refusing to create a tag with a digest reference"):
        reference.tag_name(f"busybox@sha256:{'a' * 64}")
