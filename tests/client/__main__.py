"""`make client-test`: a site, and the published client at work on it from an environment of its own.

    python -m tests.client .venv-client/bin/python

The site is one of our own, gone afterwards, unless FLOWMAESTRO_CLIENT_URL and FLOWMAESTRO_CLIENT_KEY name one that runs
on this machine, with FLOWMAESTRO_EGRESS_ALLOW=127.0.0.1: its HTTP nodes call a server of ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from flowmaestro.embedded.processes import tail
from flowmaestro.terminal.client import ApiError, Client
from tests.client.sites import Site, SiteError, clean_environment, own_site
from tests.client.workflows import GREETING, LATE, PAUSING
from tests.handlers.servers import late_server

JUDGE: Final = Path(__file__).with_name("judge")
JUDGE_SECONDS: Final = 300  # both clients take half a minute


def main() -> int:
    """Exit code: 0 when the client got all it expects."""
    if len(sys.argv) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    # Asked to end is asked to clean up, by whomever.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with chosen_site() as site, late_server() as late:
            return judge(Path(sys.argv[1]), site, late)
    except (SiteError, ApiError) as error:
        sys.stderr.write(f"{error}\n")
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"The client was not through after {JUDGE_SECONDS} seconds.\n")
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; what was started has been stopped.\n")
    return 1


def chosen_site() -> AbstractContextManager[Site]:
    named = os.environ.get("FLOWMAESTRO_CLIENT_URL", ""), os.environ.get("FLOWMAESTRO_CLIENT_KEY", "")
    if all(named):
        return nullcontext(Site(url=named[0].rstrip("/"), key=named[1]))
    if any(named):
        raise SiteError("Set both FLOWMAESTRO_CLIENT_URL and FLOWMAESTRO_CLIENT_KEY, or neither.")
    return own_site()


def judge(python: Path, site: Site, late: str) -> int:
    """Have the judge look at *site*; *late* is the address of a server that takes its time."""
    api = Client(site.url, site.key)
    workflows = [api.store_workflow(workflow) for workflow in (GREETING, LATE, PAUSING)]
    # Its own folder is all that it can import beside what is installed there: ours is a `flowmaestro`, too.
    command = [str(python), "-Esu", str(JUDGE), site.url, *workflows, late]
    environment = clean_environment() | {"FLOWMAESTRO_CLIENT_KEY": site.key}  # an argument would be for all to read
    code = subprocess.run(command, env=environment, timeout=JUDGE_SECONDS, check=False).returncode
    if code and site.home is not None:
        for log in sorted((site.home / "logs").glob("*.log")):
            sys.stderr.write(f"{log.name} ends:\n{tail(log)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
