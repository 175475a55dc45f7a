"""CLIENT: numbered events and token streams to browsers and scripts.

The promise: every numbered event, in order, none missing and none twice, resumed from the last number the client has.
The rows are the promise, the Redis stream only the fast way; tokens may be dropped and are followed by the whole text.
"""
