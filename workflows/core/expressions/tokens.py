"""Expression text → tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from workflows.core.errors import ExpressionSyntax

# A hyphen inside a name belongs to it (`trigger-1` is a node), a minus stands apart. Behind a dot a name may begin with
# a digit: `rows.0`.
_NAME = r"[\w$]*(?:-+[\w$]+)*"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<name>(?:[^\W\d]|\$){_NAME})
    | (?P<sign>===|!==|==|!=|<=|>=|\|\||&&|\?\?|\{{\{{|\}}\}}|[<>!?:().,\[\]*/%+-])
    """,
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(rf"\s*(?P<member>[\w$]{_NAME})")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}

# What people write who know JavaScript, or another template language.
_FOREIGN: Final = {
    "=": "there is no assignment; == compares",
    "=>": "there are no functions of one's own",
    "|": "there are no filters; || means or",
    "&": "&& means and",
    "`": "text stands in '…' or \"…\", and + joins it",
    "{": "there are no objects and no functions of one's own",
    "}": "there are no objects and no functions of one's own",
    '"': "the text that begins here is not closed",
    "'": "the text that begins here is not closed",
}


class Kind(Enum):
    NUMBER = auto()
    TEXT = auto()
    NAME = auto()
    SIGN = auto()
    END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    kind: Kind
    text: str  # as written; of a text, what its quotes hold
    position: int  # 0-based character of the expression


def tokenize(text: str) -> list[Token]:
    """The tokens of *text*; the last one is Kind.END. Raises ExpressionSyntax where nothing can be read."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if tokens and tokens[-1].kind is Kind.SIGN and tokens[-1].text == "." and (member := _MEMBER.match(text, at)):
            tokens.append(Token(kind=Kind.NAME, text=member["member"], position=member.start("member")))
            at = member.end()
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionSyntax(_complaint(text, at), position=at)
        match found.lastgroup:
            case "number":
                tokens.append(Token(kind=Kind.NUMBER, text=found[0], position=at))
            case "text":
                tokens.append(Token(kind=Kind.TEXT, text=_unquote(found[0], at), position=at))
            case "name":
                tokens.append(Token(kind=Kind.NAME, text=found[0], position=at))
            case "sign":
                tokens.append(Token(kind=Kind.SIGN, text=found[0], position=at))
        at = found.end()
    tokens.append(Token(kind=Kind.END, text="", position=len(text)))
    return tokens


def _complaint(text: str, at: int) -> str:
    sign = "=>" if text.startswith("=>", at) else text[at]
    if hint := _FOREIGN.get(sign):
        return f"unexpected {sign} at character {at + 1}: {hint}"
    return f"unexpected {sign!r} at character {at + 1}"


def _unquote(quoted: str, at: int) -> str:
    def escaped(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] == "u" and len(code) > 1:
            return chr(int(code[1:], 16))
        return _ESCAPED.get(code, code)

    text = _ESCAPE.sub(escaped, quoted[1:-1])
    try:
        # Two halves of a character outside the first 65,536 become that character; half of one is not text.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionSyntax(f"the text at character {at + 1} holds half a character", position=at) from None
    if "\0" in text:  # PostgreSQL stores every character but this one
        raise ExpressionSyntax(f"the text at character {at + 1} holds a NUL", position=at)
    return text
