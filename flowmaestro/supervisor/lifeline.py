"""Run a module that ends when our parent does: `python -m flowmaestro.supervisor.lifeline FD SECONDS MODULE ARG…`.

FD is the reading end of a pipe of which the parent alone holds the other. However the parent dies, the kernel closes
it; then the module has SECONDS after a SIGTERM. A pipe rather than prctl's PDEATHSIG: it is the same on every system,
it leaves time to finish, and it cannot miss a parent that died before it was set.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time


def main() -> None:
    descriptor, seconds, module, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with_parent, args=(int(descriptor), float(seconds)), daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_parent(descriptor: int, seconds: float) -> None:
    os.read(descriptor, 1)  # nothing is ever written: this returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(seconds)
    os._exit(1)


if __name__ == "__main__":
    main()
