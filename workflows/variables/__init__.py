"""Variables of a workspace, plain and secret: what `{{env.NAME}}` says in every workflow of it."""
