from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowmaestro.standin.replies import SIGNATURE, compose_reply

PROMPT = """Write a short, friendly reply to the customer.

Customer: Ada Lovelace
Order: A-1042
Product: Walnut desk
Quantity: 3
Message: When will it arrive?
Stock: {"sku": "DSK-1", "available": 1, "warehouse": "Lyon"}
Amount: 1290.50
Currency: EUR
Risk: high
"""


def test_reply_to_a_customer_is_made_of_the_facts_in_the_prompt() -> None:
    """Labelled lines and JSON alike."""
    assert compose_reply(PROMPT).split("\n\n") == [
        "Dear Ada Lovelace,",
        "thank you for your order A-1042 of 3 x Walnut desk.",
        "You wrote: “When will it arrive?” We have taken note of it.",
        "Of the 3 you ordered, 1 can leave our warehouse in Lyon today; the rest follows within two weeks.",
        "The total is 1290.50 EUR.",
        "Before it leaves, a colleague will have a look at your order; we write to you again within a day.",
        SIGNATURE,
    ]


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ('{"available": 9, "warehouse": "Lyon"}', "All of it is there and leaves our warehouse in Lyon today."),
        (
            '{"available": 0}',
            "At the moment there is none left in our warehouse; we expect more within two weeks and send it at once.",
        ),
        ('{"data": {"stock": {"available": 5}}}', "All of it is there and leaves our warehouse today."),  # nested
        ("- In stock: 5", "All of it is there and leaves our warehouse today."),  # in a list
    ],
)
def test_reply_tells_how_many_there_are(facts: str, sentence: str) -> None:
    """The branch on the stock can be read in the answer."""
    assert compose_reply(f"Name: Ada\n{facts}").split("\n\n")[2] == sentence


@pytest.mark.parametrize(
    ("prompt", "choice"),
    [
        ("Answer with one of: refund, question or complaint.\n\nI want a refund!", "refund"),
        ("Please: one of these words: low / medium / high. The risk looks high to me.", "high"),
        ("One of yes or no. What do you say?", "yes"),  # any, but always this one
    ],
)
def test_reply_to_a_choice_is_one_of_the_words(prompt: str, choice: str) -> None:
    """The word that the text speaks of, so that a classification makes sense."""
    assert compose_reply(prompt) == choice


def test_reply_to_anything_else_says_what_it_is() -> None:
    """No answer is made up where there are no facts."""
    assert (
        compose_reply("Tell me  a joke")
        == "This is a stand-in for a language model. A model would now answer: Tell me a joke"
    )


@given(prompt=st.text(alphabet=st.sampled_from('{}[]":,\n ab1{: -=|/or\ud83dü'), max_size=60) | st.text())
def test_reply_to_any_prompt_is_text_and_always_the_same(prompt: str) -> None:
    """Whatever is asked, there is one answer."""
    reply = compose_reply(prompt)

    assert reply
    assert reply == compose_reply(prompt)
