"""RUN: executions and their node runs, events and leases; the drive that decides, the workers that obey."""
