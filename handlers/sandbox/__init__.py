"""Programs of strangers, in bubblewrap.

    sandbox.allow(True)  # once, by whoever assembles the worker; nothing is run before
    outcome = sandbox.run("python", code, {"rows": rows}, seconds=30, memory_mb=128, lent=lent)

What they get: a file system of the interpreter's own files, read-only, and 16 MB of memory at `/tmp`; namespaces of
their own for processes, network, hosts, IPC and users, without a way to the outside in any; an empty environment; no
capabilities; limits on time, memory, threads, open files and the size of files. A filter of system calls (`seccomp`)
refuses what the namespaces do not cover: sockets, since some families (vsock) reach the host from any network
namespace; memory that no limit counts (memfd, System V); further processes, so that the limit on memory is one on all
of it; and what the kernel's gravest bugs were in (bpf, io_uring, userfaultfd, keyrings, nested user namespaces). A
worker that is root starts it as a user of its own, since the kernel holds root to no number of threads.

What it does not stop: bugs of the kernel, side channels through caches and time, heat. The processor's time is shared
with the worker as the scheduler sees fit. Who lets strangers in by the thousand runs the workers of the `cpu` lane in
virtual machines.

Where bubblewrap or the interpreter is missing, or may create no namespaces, nothing is run: there is no lesser way.
"""

from handlers.sandbox.outcome import Outcome
from handlers.sandbox.programs import LANGUAGES, allow, find_fault, run

__all__ = ["LANGUAGES", "Outcome", "allow", "find_fault", "run"]
