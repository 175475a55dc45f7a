"""Node types: what one node does. Pure Python; knows neither the graph, nor Django, nor Celery.

@node_type("shout", category="text", effect=Effect.PURE)
class Shout(NodeHandler[ShoutConfig]):
    '''Upper-case a text.'''

    Config = ShoutConfig

    def run(self, node, lent):
        return NodeOutput(data={"text": node.config.text.upper()})
"""

from handlers.base import (
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
    NodeHandler,
    NodeInput,
    NodeOutput,
    Raw,
    SelectPort,
    StartChild,
    Usage,
    VariableWrite,
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

__all__ = [
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
    "NodeHandler",
    "NodeInput",
    "NodeOutput",
    "NodeTimeout",
    "NodeType",
    "ProviderError",
    "RateLimited",
    "Raw",
    "SelectPort",
    "StartChild",
    "Unreachable",
    "Usage",
    "VariableWrite",
    "catalogue",
    "check_config",
    "node_type",
]
