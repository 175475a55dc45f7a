"""Credentials of a workspace: keys to somebody else's services, lent to nodes by id or name, and shown to nobody."""
