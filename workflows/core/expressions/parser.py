"""Tokens → tree. The grammar, from loose to tight:

choice     operation [ ? choice : choice ]
operation  signed, joined by  || ??   &&   == != === !==   < <= > >=   + -   * / %
signed     { ! | - } steps
steps      base { .name | .method(choice, …) | [choice] }
base       number | 'text' | true | false | null | name | Function(choice, …) | ( choice ) | {{ choice }}

Operators of one rank go from left to right.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NoReturn

from workflows.core.closest import closest
from workflows.core.errors import ExpressionSyntax
from workflows.core.expressions.functions import FUNCTIONS, METHODS, Function
from workflows.core.expressions.tokens import Kind, Token, tokenize
from workflows.core.expressions.tree import (
    Call,
    Choice,
    Embedded,
    Expression,
    Key,
    Literal,
    Logic,
    Method,
    Node,
    Operation,
    Reference,
    Signed,
    Steps,
)
from workflows.core.expressions.values import tidy

MAX_LENGTH: Final = 10_000  # characters
# Every level costs the parser five frames of a stack of a thousand, which it shares with its callers.
MAX_DEPTH: Final = 100  # a pair of parentheses is two levels, the right side of an operator one

_WORDS: Final = {"true": True, "false": False, "null": None, "undefined": None}
_RANK: Final = {
    sign: rank
    for rank, signs in enumerate(("|| ??", "&&", "== != === !==", "< <= > >=", "+ -", "* / %"))
    for sign in signs.split()
}
_LOGIC: Final = frozenset({0, 1})  # ranks


def parse(text: str) -> Expression:
    """*text* read once, to be evaluated often. Raises ExpressionSyntax, with the place and what is wrong there."""
    if len(text) > MAX_LENGTH:
        complaint = f"an expression has at most {MAX_LENGTH} characters, not {len(text)}"
        raise ExpressionSyntax(complaint, position=MAX_LENGTH)
    parser = _Parser(tokenize(text))
    tree = parser.whole()
    return Expression(text=text, tree=tree, references=tuple(dict.fromkeys(parser.references)))


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.references: list[Reference] = []
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        if self._ended:
            self._refuse("there is nothing here to evaluate")
        tree = self._choice()
        if not self._ended:
            self._refuse(f"unexpected {self._shown}")
        return tree

    def _choice(self) -> Node:
        self._descend()
        tree = self._operation(0)
        if self._take("?"):
            if self._sign == ".":
                self._refuse("write a plain dot instead of ?. (what is not there is null)")
            yes = self._choice()
            self._expect(":")
            tree = Choice(test=tree, yes=yes, no=self._choice())
        self._depth -= 1
        return tree

    def _operation(self, loosest: int) -> Node:
        """Operands joined by operators of rank *loosest* or tighter."""
        self._descend()
        tree = self._signed()
        while (rank := _RANK.get(self._sign, -1)) >= loosest:
            rest: list[tuple[str, Node]] = []
            while _RANK.get(sign := self._sign) == rank:
                self._at += 1
                rest.append((sign, self._operation(rank + 1)))
            join = Logic if rank in _LOGIC else Operation
            tree = join(first=tree, rest=tuple(rest))
        self._depth -= 1
        return tree

    def _signed(self) -> Node:
        start = self._at
        while self._sign in ("!", "-"):
            self._at += 1
        signs = "".join(token.text for token in self._tokens[start : self._at])
        operand = self._steps()
        return Signed(signs=signs, operand=operand) if signs else operand

    def _steps(self) -> Node:
        base = self._base()
        steps: list[Key | Method] = []
        while (sign := self._sign) in (".", "[", "("):
            if sign == "(":
                self._refuse("only a method or a function can be called")
            self._at += 1
            if sign == ".":
                name = self._name()
                if self._sign == "(":
                    full_name = f"{base}.{name}" if isinstance(base, Reference) and not steps else name
                    if full_name in FUNCTIONS:
                        base = self._call(full_name)
                    else:
                        steps.append(self._method(base, name))
                    continue
                key: Node = Literal(value=name)
            else:
                key = self._choice()
                self._expect("]")
            fixed = _fixed_step(key)
            if fixed is not None and isinstance(base, Reference) and not steps:
                base = Reference(parts=(*base.parts, fixed))
            else:
                steps.append(Key(of=key))
        if isinstance(base, Reference):
            self.references.append(base)
        return Steps(base=base, steps=tuple(steps)) if steps else base

    def _base(self) -> Node:
        token = self._next
        self._at += 1
        tree: Node
        match token.kind, token.text:
            case Kind.NUMBER, written:
                tree = Literal(value=_literal_number(written, token.position))
            case Kind.TEXT, text:
                tree = Literal(value=text)
            case Kind.NAME, word if word in _WORDS:
                tree = Literal(value=_WORDS[word])
            case Kind.NAME, name:
                tree = self._call(name) if self._sign == "(" else Reference(parts=(name,))
            case Kind.SIGN, "(":
                tree = self._choice()
                self._expect(")")
            case Kind.SIGN, "{{":
                tree = Embedded(operand=self._choice())
                self._expect("}}")
            case _:
                self._at -= 1
                hint = "; there are no lists of one's own" if token.text == "[" else ""
                self._refuse(f"a value is missing before {self._shown}{hint}")
        return tree

    def _call(self, name: str) -> Node:
        if name not in FUNCTIONS:
            self._refuse_name(f"there is no function {name}()", name, FUNCTIONS)
        return Call(function=name, arguments=self._arguments(name, FUNCTIONS[name]))

    def _method(self, base: Node, name: str) -> Method:
        if name not in METHODS:
            root = base.root if isinstance(base, Reference) else ""
            known = [*METHODS, *(full.removeprefix(f"{root}.") for full in FUNCTIONS if full.startswith(f"{root}."))]
            self._refuse_name(f"there is no method {name}()", name, known)
        return Method(name=name, arguments=self._arguments(name, METHODS[name]))

    def _arguments(self, name: str, function: Function) -> tuple[Node, ...]:
        self._expect("(")
        arguments: list[Node] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._choice())
            if self._sign not in (",", ")"):
                self._expect(")")
        if not function.least <= len(arguments) <= function.most:
            count = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
            self._at -= 1
            self._refuse(f"{name}() takes {count} {'argument' if count == '1' else 'arguments'}, not {len(arguments)}")
        return tuple(arguments)

    def _name(self) -> str:
        if self._next.kind is not Kind.NAME:
            self._refuse(f"a name is missing before {self._shown}")
        self._at += 1
        return self._tokens[self._at - 1].text

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    @property
    def _sign(self) -> str:
        token = self._tokens[self._at]
        return token.text if token.kind is Kind.SIGN else ""

    @property
    def _shown(self) -> str:
        return "the end" if self._ended else self._next.text

    @property
    def _ended(self) -> bool:
        return self._next.kind is Kind.END

    def _take(self, sign: str) -> bool:
        if self._sign != sign:
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            self._refuse(f"{sign} is missing before {self._shown}")

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"the expression is nested more than {MAX_DEPTH} levels deep")

    def _refuse(self, complaint: str) -> NoReturn:
        position = self._next.position
        raise ExpressionSyntax(f"{complaint} (at character {position + 1})", position=position)

    def _refuse_name(self, complaint: str, name: str, known: Collection[str]) -> NoReturn:
        meant = closest(name, known)
        self._refuse(f"{complaint}; did you mean {meant}()?" if meant else f"{complaint}; there are {', '.join(known)}")


def _fixed_step(key: Node) -> str | int | None:
    """The step that *key* always is, when that can be said before anything is evaluated."""
    if not isinstance(key, Literal) or isinstance(key.value, bool):
        return None
    return key.value if isinstance(key.value, str | int) else None


def _literal_number(written: str, position: int) -> float:
    value = float(written)
    if value == float("inf"):
        raise ExpressionSyntax(f"the number at character {position + 1} is too large", position=position)
    # Python refuses to read thousands of digits; so many that make no infinity begin with zeros.
    return int(written) if written.isdigit() and len(written) < 400 else tidy(value)  # noqa: PLR2004 -- see above
