from tests.handlers.sandboxes import switched_on

__all__ = ["switched_on"]
