from __future__ import annotations

import argparse
import signal
import sys

from flowmaestro.standin.server import TOKEN_SECONDS, serve


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m flowmaestro.standin", description="A stand-in for a language model."
    )
    parser.add_argument("--port", type=int, default=0, help="any free one by default")
    parser.add_argument(
        "--token-ms", type=float, default=TOKEN_SECONDS * 1000, help="milliseconds from one token to the next"
    )
    options = parser.parse_args()
    end = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, end)  # waited for below, by this thread alone
    with serve(options.port, token_seconds=options.token_ms / 1000) as standin:
        sys.stdout.write(
            f"A stand-in, not a language model, answers at {standin.url}/v1 and {standin.url}/stock/<sku>.\n"
        )
        sys.stdout.flush()
        signal.sigwait(end)


if __name__ == "__main__":
    main()
