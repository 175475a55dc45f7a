"""Everything on one machine: the servers, a web process and workers, kept alive by one process that ends them all.

    up      claims the home, starts the servers, migrates, starts the children, restarts those that die
    state   `up.json`, and the lock that says whether it is true
    down    asks the process behind the lock to end

Children are ours alone: each is in a session of its own, so that Ctrl-C reaches only the supervisor, and each watches
a pipe that closes when the supervisor dies, whatever it dies of (`supervisor.lifeline`).
"""

from flowmaestro.supervisor.children import Child, ChildSpec
from flowmaestro.supervisor.errors import SupervisorError
from flowmaestro.supervisor.loop import Supervisor
from flowmaestro.supervisor.state import Claim, StackState, claim, read

__all__ = ["Child", "ChildSpec", "Claim", "StackState", "Supervisor", "SupervisorError", "claim", "read"]
