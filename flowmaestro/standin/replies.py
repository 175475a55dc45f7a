"""The text a language model would have written: made of the facts in the prompt, and the same for the same prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zlib import crc32

SIGNATURE = "Kind regards,\nthe stand-in for a language model"
MAX_QUOTED_CHARACTERS = 160

# "Customer: Ada Lovelace" on a line of its own.
LABELLED_LINE = re.compile(r"^[ \t]*[-*]?[ \t]*([A-Za-z][A-Za-z _-]{0,30}?)[ \t]*[:=][ \t]*(\S.*)$", re.MULTILINE)
# As in: answer with one of these words: refund, question or complaint.
CHOICE = re.compile(
    r"\bone of(?: these)?(?: words)?:?\s+(\w[\w-]*(?:\s*(?:,\s*or\b|,|\bor\b|/|\|)\s*\w[\w-]*)+)", re.IGNORECASE
)

# Names that facts go by in prompts and in JSON, the most telling first.
CUSTOMER = ("customer", "customer name", "name", "to")
ORDER = ("order", "order id", "order number", "id")
PRODUCT = ("product", "item", "article", "sku")
QUANTITY = ("quantity", "qty", "pieces")
AVAILABLE = ("available", "in stock", "stock")
WAREHOUSE = ("warehouse",)
AMOUNT = ("amount", "total", "price")
CURRENCY = ("currency",)
RISK = ("risk", "risk level", "decision")
MESSAGE = ("message", "question", "complaint")


def compose_reply(prompt: str) -> str:
    """One of the words the prompt asks to choose from; a letter to the customer it tells of; or a word of its own."""
    choice = CHOICE.search(prompt)
    if choice:
        options = re.split(r"\s*(?:,\s*or\b|,|\bor\b|/|\|)\s*", choice[1])
        return _choose(options, prompt[: choice.start()] + prompt[choice.end() :])
    facts = _find_facts(prompt)
    if not _first(facts, CUSTOMER) and not _first(facts, ORDER):
        asked = " ".join(prompt.split())[:MAX_QUOTED_CHARACTERS]
        return f"This is a stand-in for a language model. A model would now answer: {asked}"
    return "\n\n".join([_greeting(facts), *_paragraphs(facts), SIGNATURE])


def _choose(options: list[str], text: str) -> str:
    """The first option that the text speaks of, or any, always the same for the same text."""
    words = set(re.findall(r"\w[\w-]*", text.lower()))
    spoken_of = [option for option in options if option.lower() in words]
    return (spoken_of or options)[0 if spoken_of else crc32(text.encode("utf-8", "replace")) % len(options)]


def _find_facts(prompt: str) -> dict[str, str]:
    """Labelled lines and the fields of JSON objects, by name in small letters; the first of a name counts."""
    facts: dict[str, str] = {}
    for name, value in [*_fields(prompt), *LABELLED_LINE.findall(prompt)]:
        if not value.startswith(("{", "[")):
            facts.setdefault(name.strip().lower().replace("_", " "), value.strip())
    return facts


def _fields(prompt: str) -> Iterator[tuple[str, str]]:
    position = prompt.find("{")
    while position >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(prompt, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            yield from _scalars(value)
        position = prompt.find("{", end)


def _scalars(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _scalars(item)
        elif isinstance(item, str | int | float) and item != "":
            yield name, item if isinstance(item, str) else json.dumps(item)


def _first(facts: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((facts[name] for name in names if name in facts), "")


def _greeting(facts: Mapping[str, str]) -> str:
    customer = _first(facts, CUSTOMER)
    return f"Dear {customer}," if customer else "Hello,"


def _paragraphs(facts: Mapping[str, str]) -> Iterator[str]:
    order, product, quantity = _first(facts, ORDER), _first(facts, PRODUCT), _first(facts, QUANTITY)
    goods = " x ".join(part for part in (quantity, product) if part)
    yield "thank you for your order" + (f" {order}" if order else "") + (f" of {goods}" if goods else "") + "."
    if _first(facts, MESSAGE):
        yield f"You wrote: “{_first(facts, MESSAGE)[:MAX_QUOTED_CHARACTERS]}” We have taken note of it."
    stock = _stock_sentence(_first(facts, AVAILABLE), quantity, _first(facts, WAREHOUSE))
    if stock:
        yield stock
    amount = _first(facts, AMOUNT)
    if amount:
        yield f"The total is {' '.join(part for part in (amount, _first(facts, CURRENCY)) if part)}."
    risk = _first(facts, RISK).lower()
    if risk in ("high", "review", "manual review", "hold"):
        yield "Before it leaves, a colleague will have a look at your order; we write to you again within a day."


def _stock_sentence(available: str, quantity: str, warehouse: str) -> str:
    if not re.fullmatch(r"\d{1,9}", available):
        return ""
    wanted = int(quantity) if re.fullmatch(r"\d{1,9}", quantity) else 1
    place = f"our warehouse in {warehouse}" if warehouse else "our warehouse"
    if int(available) >= wanted:
        return f"All of it is there and leaves {place} today."
    if int(available) == 0:
        return f"At the moment there is none left in {place}; we expect more within two weeks and send it at once."
    return f"Of the {wanted} you ordered, {available} can leave {place} today; the rest follows within two weeks."
