"""DEFINITION and PLAN: what people author. Workspaces and their members and keys, workflows, immutable versions."""
