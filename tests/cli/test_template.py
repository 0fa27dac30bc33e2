import pytest

from bridgehead.cli.client import CommandFailed
from bridgehead.cli.template import render

VALUE = {
    "Name": "/c1",
    "State": {"Running": True, "Pid": 42},
    "Empty": None,
    "Labels": {"a.b": "c"},
    "Networks": {"back": {"IP": "10.0.0.2"}, "front": {"IP": "10.1.0.2"}},
    "List": ["x", "y"],
}


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("{{.Name}} is {{ .State.Running }}", "/c1 is true"),
        ("{{json .State}}", '{"Running":true,"Pid":42}'),
        ("{{.Empty}}", "<no value>"),
        ('{{index .Labels "a.b"}}', "c"),
        ("{{index .List 1}}", "y"),
        ("{{len .List}}", "2"),
        ("{{.List}} {{.Labels}}", "[x y] map[a.b:c]"),
        ("{{range .List}}<{{.}}>{{end}}", "<x><y>"),
        ("{{range $name, $n := .Networks}}{{$name}}={{$n.IP}} {{end}}", "back=10.0.0.2 front=10.1.0.2 "),
        ("{{range .Networks}}{{println .IP}}{{end}}", "10.0.0.2\n10.1.0.2\n"),
        ("{{if .State.Running}}up{{else}}down{{end}}", "up"),
        ("{{if .Empty}}up{{else}}down{{end}}", "down"),
        ("{{range .Empty}}x{{else}}none{{end}}", "none"),
        ('{{(index .Networks "back").IP}}', "10.0.0.2"),
        ("table {{.Name}}\\t{{.State.Pid}}", "/c1\t42"),
        ('{{.Name | printf "%-5s|"}}', "/c1  |"),
        ('{{printf "%d %s %v %q %%" .State.Pid .Name .List .Name}}', '42 /c1 [x y] "/c1" %'),
        ('{{join .List ","}} {{upper .Name}} {{.Name | len}}', "x,y /C1 3"),
        ('{{index (split .Name "c") 1}}', "1"),
        ("{{with .State}}{{.Pid}}{{else}}none{{end}}", "42"),
        ("{{with .Empty}}{{.Pid}}{{else}}none{{end}}", "none"),
        ("{{if eq .State.Pid 41}}a{{else if eq .State.Pid 42}}b{{else}}c{{end}}.", "b."),
        ("{{if and .State.Running (not .Empty)}}yes{{end}}", "yes"),
        ("{{if or .Empty (gt .State.Pid 50)}}yes{{else}}no{{end}}", "no"),
        ("{{$pid := .State.Pid}}{{range .List}}{{.}}{{$pid}} {{end}}", "x42 y42 "),
        ("{{range $i, $x := .List}}{{if $i}}, {{end}}{{$x}}{{end}}", "x, y"),
        ("a{{/* said to nobody */}}b {{- .Name -}} c", "ab/c1c"),
        ("{{range .List}}{{if eq . `y`}}{{with $.Name}}{{.}}{{end}}{{end}}{{end}}", "/c1"),
    ],
)
def test_templates_in_wide_use_work(layout, expected):
    assert expected == render(layout, VALUE)


@pytest.mark.parametrize(
    ("layout", "place"),
    [("{{.Nope}}", ":1:2"), ("{{.State.Nope}}", ":1:8"), ("a\n {{json .State.Nope}}", ":2:14")],
)
def test_a_missing_field_is_named_with_its_place(layout, place):
    with pytest.raises(CommandFailed, match=f"template: {place}: .*no entry for key"):
        render(layout, VALUE)


@pytest.mark.parametrize(
    "layout",
    [
        "{{.Name 1}}",
        "{{$nope}}",
        "{{join .Name}}",
        "{{.Nope}}",
        "{{frob .Name}}",
        "{{range .List}}",
        "{{end}}",
        "{{}}",
    ],
)
def test_what_is_not_understood_is_refused(layout):
    with pytest.raises(CommandFailed, match="template"):
        render(layout, VALUE)
