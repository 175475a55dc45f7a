"""Who may do what: workspaces, their members and their API keys."""
