"""A stand-in for a language model and a stock service: a local server that answers as they would, always the same.

    python -m flowmaestro.standin --port 8100

It speaks OpenAI's chat completions at `/v1` (streamed token by token, or whole), knows how many of an article are there
at `/stock/{sku}`, lists all of them at `/stock?page=` (even pages ask to come again after a second, at every other
request), tells what a supplier offers at `/offers/{supplier}/{sku}`, and is well at `/health`. No model is behind it:
it makes a customer reply of the facts it finds in the prompt, and says of itself that it is a stand-in. The key may be
anything but must be there.

These models never answer properly, each in its way:

    fail-429    asks to wait for a second      hang     says nothing until the caller leaves
    fail-500    an error of the service        stall    falls silent after three tokens
    fail-quota  an account that is empty       cut      breaks the connection off after three tokens
"""

from flowmaestro.standin.server import StandIn, serve
from flowmaestro.standin.shop import ARTICLES, SUPPLIERS

__all__ = ["ARTICLES", "SUPPLIERS", "StandIn", "serve"]
