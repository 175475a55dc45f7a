"""What the client runs: a workflow that is over at once, one that is not, and one that is paused meanwhile."""

from __future__ import annotations

from typing import Final

from handlers import JSONObject

# Started without its input, it fails.
GREETING: Final[JSONObject] = {
    "name": "Client test: greeting",
    "description": "Greets whom it is told.",
    "nodes": {
        "who": {
            "type": "input",
            "name": "Who",
            "config": {"inputName": "name", "label": "Name", "description": "Whom to greet.", "required": True},
        },
        "greet": {
            "type": "output",
            "name": "Greet",
            "config": {"outputName": "greeting", "value": "Hello, {{who.name}}!"},
        },
    },
    "edges": [{"id": "e1", "source": "who", "target": "greet"}],
}
LATE: Final[JSONObject] = {
    "name": "Client test: late answer",
    "description": "Calls a server that takes its time.",
    "nodes": {
        "start": {"type": "trigger", "name": "Start", "config": {}},
        "call": {"type": "http", "name": "Call", "config": {"url": "{{inputs.url}}", "timeout": 120}},
        "told": {"type": "output", "name": "Told", "config": {"outputName": "told", "value": "{{call.data}}"}},
    },
    "edges": [{"id": "e1", "source": "start", "target": "call"}, {"id": "e2", "source": "call", "target": "told"}],
}
PAUSING: Final[JSONObject] = {
    "name": "Client test: pause",
    "description": "Waits for a moment.",
    "nodes": {
        "start": {"type": "trigger", "name": "Start", "config": {}},
        "rest": {
            "type": "wait",
            "name": "Rest",
            "config": {"waitType": "duration", "durationValue": "{{inputs.seconds}}", "durationUnit": "seconds"},
        },
        "told": {"type": "output", "name": "Told", "config": {"outputName": "told", "value": "rested"}},
    },
    "edges": [{"id": "e1", "source": "start", "target": "rest"}, {"id": "e2", "source": "rest", "target": "told"}],
}
