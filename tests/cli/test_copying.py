import io
import json
import tarfile
from base64 import b64encode

import pytest

from bridgehead.cli.copying import Place, place
from tests.cli.scripted import Says, says


def archive(*entries):
    """Names with text; a name alone is a directory."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for name, text in entries:
            member = tarfile.TarInfo(name)
            if text is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                made.addfile(member)
            else:
                member.size = len(text)
                made.addfile(member, io.BytesIO(text.encode()))
    return file.getvalue()


def stat(*, directory=False, link=""):
    mode = (1 << 31 if directory else 0) | (1 << 27 if link else 0) | 0o755
    said = {"name": "x", "mode": mode, "linkTarget": link}
    header = b64encode(json.dumps(said).encode()).decode()
    return Says(headers={"X-Docker-Container-Path-Stat": header})


TREE = archive(("tree", None), ("tree/a", "1"), ("tree/in", None), ("tree/in/b", "2"))


def seen(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("web:/etc", Place("web", "/etc")),
        ("./a:b", Place("", "./a:b")),
        ("/a:b", Place("", "/a:b")),
        ("-", Place("", "-")),
    ],
)
def test_places_are_in_a_container_or_here(word, expected):
    assert expected == place(word)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("/tree", "there", {"there/tree/a": "1", "there/tree/in/b": "2"}),
        ("/tree", "new", {"new/a": "1", "new/in/b": "2"}),
        ("/tree/.", "there", {"there/a": "1", "there/in/b": "2"}),
        ("/tree/.", "new", {"new/a": "1", "new/in/b": "2"}),
    ],
)
def test_a_tree_comes_out_under_its_name_or_a_new_one(daemon, bridgehead, tmp_path, source, target, expected):
    (tmp_path / "there").mkdir()
    daemon.on("GET", "/containers/web/archive", Says(body=TREE))

    outcome = bridgehead("cp", f"web:{source}", f"{tmp_path}/{target}")

    assert (outcome.code, outcome.err) == (0, "")
    assert seen(tmp_path) == expected


@pytest.mark.parametrize(("target", "expected"), [("there", "there/a"), ("new", "new"), ("old", "old")])
def test_a_file_comes_out_into_a_folder_or_as_a_file(daemon, bridgehead, tmp_path, target, expected):
    (tmp_path / "there").mkdir()
    (tmp_path / "old").write_text("before")
    daemon.on("GET", "/containers/web/archive", Says(body=archive(("a", "1"))))

    assert bridgehead("cp", "web:/a", f"{tmp_path}/{target}").code == 0

    assert seen(tmp_path)[expected] == "1"


def test_an_archive_that_would_leave_the_target_is_refused(daemon, bridgehead, tmp_path):
    daemon.on("GET", "/containers/web/archive", Says(body=archive(("tree", None), ("tree/../../out", "1"))))
    (tmp_path / "in").mkdir()

    assert bridgehead("cp", "web:/tree", str(tmp_path / "in")).code == 1

    assert seen(tmp_path) == {}


def test_a_tree_is_no_file(daemon, bridgehead, tmp_path):
    (tmp_path / "file").write_text("mine")
    daemon.on("GET", "/containers/web/archive", Says(body=TREE))

    assert bridgehead("cp", "web:/tree", str(tmp_path / "file")).err == "cannot copy directory\n"

    assert seen(tmp_path) == {"file": "mine"}


@pytest.mark.parametrize(
    ("found", "path", "name"),
    [
        (stat(directory=True), "/etc", "here"),
        (stat(), "/", "etc"),
        (says({"message": ""}, 404), "/", "etc"),
    ],
)
def test_what_goes_in_has_the_name_it_is_to_have(daemon, bridgehead, tmp_path, found, path, name):
    (tmp_path / "here").write_text("text")
    daemon.on("HEAD", "/containers/web/archive", found)
    daemon.on("PUT", "/containers/web/archive", says(None))

    outcome = bridgehead("cp", str(tmp_path / "here"), "web:/etc")

    assert (outcome.code, outcome.err) == (0, "")
    sent = daemon.asked[-1]
    assert sent.query == {"path": [path], "noOverwriteDirNonDir": ["1"]}
    with tarfile.open(fileobj=io.BytesIO(sent.body)) as packed:
        assert packed.getnames() == [name]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("web:/a", "db:/b"), "copying between containers is not supported"),
        (("a", "b"), "must specify at least one container source"),
        (("/absent/x", "web:/b"), "lstat /absent/x: no such file or directory"),
    ],
)
def test_what_cannot_be_copied_is_refused(bridgehead, words, sentence):
    outcome = bridgehead("cp", *words)

    assert (outcome.code, outcome.err) == (1, f"{sentence}\n")
