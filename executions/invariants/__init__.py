"""What holds of every run at every moment, looked for in the rows: nobody but these functions would notice otherwise.

    examined = check_runs(limit=1000)
    for finding in examined.findings: ...

Recovery is the sweep's (`executions.sweep`); what is found here is what recovery should have mended, and did not.
"""

from executions.invariants.check import Examined, check_runs, recovers_for
from executions.invariants.findings import Finding, Invariant
from executions.invariants.watch import Watch

__all__ = ["Examined", "Finding", "Invariant", "Watch", "check_runs", "recovers_for"]
