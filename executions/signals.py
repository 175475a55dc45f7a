"""News for whoever listens. Sent after commit, in the thread that committed; a receiver must be quick and not raise."""

from django.dispatch import Signal

# sender: None; execution_id, workspace_id: UUID; frames: a sequence of wire frames by seq (executions.frames.Told)
events_recorded = Signal()

# sender: None; execution_id: UUID; stream: "<node>/<scope>"; offset: characters before; text: str
token_streamed = Signal()

# sender: None; execution_id: UUID; stream: "<node>/<scope>"; fraction: 0 to 1; message: str. A few a second at most
progress_told = Signal()

# sender: None; execution_id: UUID; key: str; value: JSON text of what it is now; revision: how often it was written
metadata_set = Signal()
