"""Work in a process of its own, bounded by the kernel, for what could take a worker down with it.

    finished = processes.run(["tesseract", "-", "-"], stdin=image, bounds=bounds, lent=lent)
    pages, _ = processes.compute("handlers.documents.pdf:read", {"pages": [1]}, content, bounds=bounds, lent=lent)

A worker thread cannot be ended, and its memory is everybody's: text that a parser chokes on, and programs of strangers,
get a process that can. Its limits are set before it begins, by a shell that then becomes the program: the usual
`preexec_fn` runs Python between fork and exec, which a process with threads may not survive. The child is given none
of our environment, where keys and passwords stand, and none of our open files.

No sandbox: what runs here may read files and use the network. For programs of strangers there is `handlers.sandbox`.
"""

from handlers.processes.bounds import Bounds, bounded
from handlers.processes.compute import ChildFailed, compute
from handlers.processes.runner import ENVIRONMENT, Fate, Finished, run

__all__ = ["ENVIRONMENT", "Bounds", "ChildFailed", "Fate", "Finished", "bounded", "compute", "run"]
