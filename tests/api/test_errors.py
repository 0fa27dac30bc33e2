import pytest

from bridgehead.api import errors
from bridgehead.core.model import errors as model


def _all(kind: type[model.BridgeheadError]) -> list[type[model.BridgeheadError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _all(child))]


@pytest.mark.parametrize("kind", _all(model.BridgeheadError)[1:])
def test_every_class_of_error_has_a_status(kind: type[model.BridgeheadError]) -> None:
    assert any(issubclass(kind, known) for known, _ in errors.STATUSES)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (model.CommandNotFound("x"), 400, "x: executable file not found in $PATH"),
        (model.CommandNotFound("exec: no such file or directory"), 400, "exec: no such file or directory"),
        (model.CommandNotExecutable("x"), 400, "x: permission denied"),
        (model.HostRefused("x"), 500, "x"),
        (
            model.PluginMissing("x", "looked for x.sock in /a"),
            404,
            'plugin "x" not found: looked for x.sock in /a',
        ),
        (model.PluginUnreachable("x"), 503, "x"),
        (model.PluginRefused("remote: x"), 500, "remote: x"),
        (errors.TooLarge("x"), 413, "x"),
    ],
    ids=repr,
)
def test_the_client_reads_its_exit_code_out_of_the_words(
    error: model.BridgeheadError, status: int, words: str
) -> None:
    assert (status, words) == (errors.status_of(error), errors.sentence(error))
