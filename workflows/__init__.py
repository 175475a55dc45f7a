"""DEFINITION and PLAN: what people author. Workspaces with members, keys and variables; workflows, their versions."""
