"""The kinds of credentials, one module each; `workflows.credentials.kind` finds them here."""
