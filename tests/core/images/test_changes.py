import pytest

from bridgehead.core.images.changes import applied
from bridgehead.core.images.config import Process
from bridgehead.core.model.errors import InvalidParameter


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["CMD echo hi"], Process(cmd=["/bin/sh", "-c", "echo hi"])),
        (['CMD ["echo", "hi"]'], Process(cmd=["echo", "hi"])),
        (["CMD [not json"], Process(cmd=["/bin/sh", "-c", "[not json"])),
        (["cmd []"], Process(cmd=[])),
        (['ENTRYPOINT ["/init"]'], Process(entrypoint=["/init"])),
        (["ENV A=1 B='two words' C=\"a $A\" D=a\\ b"], Process(env=["A=1", "B=two words", "C=a ", "D=a b"])),
        (["ENV A the old form"], Process(env=["A=the old form"])),
        (["ENV A=1", "ENV B=${A}2 C=${X:-no} D=${A:+yes}"], Process(env=["A=1", "B=12", "C=no", "D=yes"])),
        (["ENV A=1", "ENV A=2"], Process(env=["A=2"])),
        (["ENV A='$B' C=\\$D"], Process(env=["A=$B", "C=$D"])),
        (["EXPOSE 80 53/UDP 8000-8002"],
         Process(exposed_ports={p: {} for p in ("80/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp")})),
        (["LABEL a=b 'c d'=e"], Process(labels={"a": "b", "c d": "e"})),
        (["USER nobody:nogroup"], Process(user="nobody:nogroup")),
        (["WORKDIR /srv", "WORKDIR app/../www"], Process(working_dir="/srv/www")),
        (["WORKDIR with space"], Process(working_dir="/with space")),
        (["VOLUME /a /b"], Process(volumes={"/a": {}, "/b": {}})),
        (['VOLUME ["/a b"]'], Process(volumes={"/a b": {}})),
        (["STOPSIGNAL SIGINT"], Process(stop_signal="SIGINT")),
        (["# a comment\n\nENV A=1 \\\n B=2\nUSER x"], Process(env=["A=1", "B=2"], user="x")),
    ],
)  # fmt: skip
def test_instructions_change_the_configuration(changes: list[str], expected: Process) -> None:
    assert expected == applied(Process(), changes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("RUN make", "RUN is not a valid change command"),
        ("FROM scratch", "FROM is not a valid change command"),
        ("CMD", "CMD requires at least one argument"),
        ("ENV A", "ENV must have two arguments"),
        ("ENV A=1 B", "can't find = in 'B'"),
        ("ENV =1", "ENV names can not be blank"),
        ("ENV A='open", "looking for matching quote"),
        ("EXPOSE http", "invalid containerPort: http"),
        ("EXPOSE 70000", "invalid containerPort: 70000"),
        ("EXPOSE 90-80", "invalid containerPort: 90-80"),
        ("USER a b", "USER requires exactly one argument"),
        ('VOLUME [""]', "VOLUME specified can not be an empty string"),
    ],
)
def test_nonsense_is_refused(change: str, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        applied(Process(), [change])
