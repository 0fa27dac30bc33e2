import base64
import json

import pytest

from bridgehead.api.wire import progress
from bridgehead.core.images.distribution import Credentials
from bridgehead.core.images.progress import Progress
from bridgehead.core.model.errors import InvalidParameter


def test_lines_have_dockers_shape() -> None:
    assert progress.show(Progress("Pulling from a/b", "1")) == {"status": "Pulling from a/b", "id": "1"}
    assert progress.show(Progress("Digest: x")) == {"status": "Digest: x"}
    assert progress.show(Progress("Pull complete", "0123456789ab")) == {
        "status": "Pull complete",
        "progressDetail": {},
        "id": "0123456789ab",
    }
    assert progress.show(Progress("Downloading", "0123456789ab", 500, 2_000_000)) == {
        "status": "Downloading",
        "progressDetail": {"current": 500, "total": 2_000_000},
        "progress": f"[>{' ' * 49}]  500B/2MB",
        "id": "0123456789ab",
    }


def _header(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_credentials_are_read_with_and_without_padding() -> None:
    header = _header({"username": "me", "password": "mine?>", "serveraddress": "x", "email": ""})
    expected = Credentials("me", "mine?>", server="x")

    assert progress.credentials(header) == progress.credentials(header.rstrip("=")) == expected
    assert progress.credentials("") == progress.credentials(_header({})) == Credentials()
    assert progress.credentials(_header({"identitytoken": "t"})) == Credentials(identity_token="t")
    packed = base64.b64encode(b"me:mine").decode()
    assert progress.credentials(_header({"auth": packed})) == Credentials("me", "mine")


@pytest.mark.parametrize("header", ["$$$", "e30x", _header([1]), _header({"username": 5})])
def test_credentials_that_cannot_be_read_are_refused(header: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid X-Registry-Auth header"):
        progress.credentials(header)


def test_passwords_are_not_shown() -> None:
    assert "mine" not in repr(Credentials("me", "mine"))
