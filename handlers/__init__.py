"""Node types: what one node does. Pure Python; knows neither the graph, nor Django, nor Celery.

@node_type("shout", category="text", effect=Effect.PURE)
class Shout(NodeHandler[ShoutConfig]):
    '''Upper-case a text.'''

    Config = ShoutConfig

    def run(self, node, lent):
        return NodeOutput(data={"text": node.config.text.upper()})
"""

from handlers.base import (
    TIMEOUT_PORT,
    Condition,
    ContainerKind,
    Deferred,
    Effect,
    Expression,
    FieldKind,
    JSONObject,
    JSONScalar,
    JSONValue,
    Lane,
    NodeConfig,
    NodeData,
    NodeHandler,
    NodeInput,
    NodeOutput,
    Pause,
    PauseKind,
    Raw,
    Resumed,
    SelectPort,
    StartChild,
    Usage,
    VariableWrite,
    Votes,
)
from handlers.errors import (
    Cancelled,
    ConfigError,
    HandlerError,
    InputError,
    NodeTimeout,
    ProviderError,
    RateLimited,
    Unreachable,
)
from handlers.ports import Lent
from handlers.registry import Catalogue, NodeType, catalogue, check_config, node_type
from handlers.retries import RetryDefaults

__all__ = [
    "TIMEOUT_PORT",
    "Cancelled",
    "Catalogue",
    "Condition",
    "ConfigError",
    "ContainerKind",
    "Deferred",
    "Effect",
    "Expression",
    "FieldKind",
    "HandlerError",
    "InputError",
    "JSONObject",
    "JSONScalar",
    "JSONValue",
    "Lane",
    "Lent",
    "NodeConfig",
    "NodeData",
    "NodeHandler",
    "NodeInput",
    "NodeOutput",
    "NodeTimeout",
    "NodeType",
    "Pause",
    "PauseKind",
    "ProviderError",
    "RateLimited",
    "Raw",
    "Resumed",
    "RetryDefaults",
    "SelectPort",
    "StartChild",
    "Unreachable",
    "Usage",
    "VariableWrite",
    "Votes",
    "catalogue",
    "check_config",
    "node_type",
]
