from __future__ import annotations

from typing import Any, Final

import pytest

from handlers import InputError
from handlers.xml_values import MAX_DEPTH, MAX_LENGTH, read_xml

LAUGHS: Final = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<a/>", {"a": ""}),
        ("<a> x </a>", {"a": "x"}),
        ("<?xml version='1.0' encoding='UTF-16'?><a>é</a>", {"a": "é"}),  # the text has been read already
        ("<a b='1'/>", {"a": {"b": "1"}}),
        ("<a b='1'>x</a>", {"a": {"b": "1", "_": "x"}}),
        ("<a><b>1</b><b>2</b><c/></a>", {"a": {"b": ["1", "2"], "c": ""}}),
        ("<a b='1'><b>2</b></a>", {"a": {"b": ["1", "2"]}}),
        ("<a>x<b/>y</a>", {"a": {"b": "", "_": "xy"}}),
        ("<a><![CDATA[<b>]]>&amp;&#233;</a>", {"a": "<b>&é"}),
        ("<x:a xmlns:x='u'><x:b/></x:a>", {"x:a": {"xmlns:x": "u", "x:b": ""}}),
        ("<!DOCTYPE a PUBLIC 'p' 'http://nowhere.invalid/a.dtd'><a/>", {"a": ""}),  # which nobody fetches
        ("<a><!-- x --><?y z?></a>", {"a": ""}),
    ],
)
def test_elements_become_values_by_name(text: str, value: Any) -> None:
    assert read_xml(text) == value


@pytest.mark.parametrize("text", ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a>&none;</a>", "<a>\0</a>"])
def test_what_is_no_xml_is_told(text: str) -> None:
    with pytest.raises(InputError, match="Invalid XML: ") as caught:
        read_xml(text)

    assert caught.value.code == "invalid_xml"


@pytest.mark.parametrize(
    "declared",
    [
        f'<!ENTITY l0 "ha">{LAUGHS}',
        f'<!ENTITY l9 "{"ha" * 1000}">',
        '<!ENTITY l9 SYSTEM "file:///etc/passwd">',
        '<!ENTITY l9 SYSTEM "http://127.0.0.1/">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1/">%p;',
    ],
    ids=["a billion laughs", "a quadratic blowup", "a file", "an address", "a parameter"],
)
def test_entities_are_refused(declared: str) -> None:
    with pytest.raises(InputError, match="declares entities") as caught:
        read_xml(f"<!DOCTYPE a [{declared}]><a>&l9;</a>")

    assert caught.value.code == "invalid_xml"


def test_xml_without_an_end_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read_xml(f"<a>{'x' * MAX_LENGTH}</a>")

    assert caught.value.code == "too_large"


def test_xml_without_a_ground_is_refused() -> None:
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(InputError) as caught:
            read_xml("<a>" * depth + "</a>" * depth)
        assert caught.value.code == "too_complex"

    assert read_xml("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH)


def test_many_attributes_are_read_in_time() -> None:
    attributes = " ".join(f"a{number}='x'" for number in range(80_000))

    value = read_xml(f"<a {attributes}/>")

    assert isinstance(value, dict)
    assert len(value["a"]) == 80_000  # type: ignore[arg-type]  # an object
