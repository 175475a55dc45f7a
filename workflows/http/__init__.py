"""What every HTTP door shares: who calls, what they may do, and the one shape of questions and answers.

`flowmaestro.settings` names these classes, so a view has them without asking. A view says which scopes it wants, per
action, and raises plain errors; `flowmaestro.api` alone turns errors into statuses.
"""
