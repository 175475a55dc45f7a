"""What can go wrong with the stack as a whole, told to the person at the terminal."""

from __future__ import annotations


class SupervisorError(Exception):
    """The stack could not be started, or did not stay up."""
