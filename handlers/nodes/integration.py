"""Something that another service does."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, ValidationError

from handlers.base import Effect, JSONObject, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.checks import find_faults
from handlers.errors import ConfigError
from handlers.integrations import Operation, Provider, directory, perform
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_HTTP
from handlers.values import read_container

PROVIDER_KEYS = ("provider", "service", "integration")
OPERATION_KEYS = ("operation", "action")
CONNECTION_KEYS = ("connectionId", "credentialId")
# What is written beside the parameters, also by editors.
OWN_KEYS = frozenset({*PROVIDER_KEYS, *OPERATION_KEYS, *CONNECTION_KEYS, "parameters", "label", "outputVariable"})
# An editor's, or a person's to another.
NOTES = frozenset({"name", "description", "note", "notes", "comment"})


def _read(value: Any) -> Any:
    return read_container(value) if isinstance(value, str) else value


class IntegrationConfig(NodeConfig):
    # Parameters stand beside the rest in definitions of the existing product.
    model_config = ConfigDict(extra="allow")

    provider: str = Field(min_length=1, validation_alias=AliasChoices(*PROVIDER_KEYS), description="The service.")
    operation: str = Field(
        min_length=1, validation_alias=AliasChoices(*OPERATION_KEYS), description="What it is to do."
    )
    connection_id: str = Field(
        min_length=1,
        validation_alias=AliasChoices(*CONNECTION_KEYS),
        description="The credential that the service is asked with.",
    )
    parameters: Annotated[dict[str, Any], BeforeValidator(_read)] = Field(
        default_factory=dict,
        description="What the operation is told; its parameters are listed at /node-types/integration/providers.",
    )

    @property
    def loose(self) -> JSONObject:
        """What stands beside the rest, an editor's notes among it."""
        return {name: value for name, value in (self.model_extra or {}).items() if name not in OWN_KEYS}


@node_type(
    "integration",
    category="integrations",
    title="Integration",
    effect=Effect.EFFECT,
    lane=Lane.IO,
    aliases=("action",),
    retry=FOR_HTTP,
)
class Integration(NodeHandler[IntegrationConfig]):
    """Have another service do something, such as send a message or find a customer, with a credential of the workspace.

    Output: what the service answers, as it is, or the part of it that the operation is about; null where it answers
    nothing. Of a list `{"items", "count", "hasMore", "nextCursor"}`: the `limit` first items, however many pages they
    are on, and what `cursor` goes on with, null also where the last page was cut in the middle. Fifty pages are asked
    for at most.

    A failure is a failure and leaves by the error port; nothing is told in an output of success. Its code:
    `credential_refused` (the key is wrong), `forbidden`, `not_found`, `rejected` (the service will not have the request
    as it is), `rate_limited` and `provider_error` (worth another attempt, after as long as the service says),
    `unreachable`, `timeout`; `details` has the status and what the service answered.

    Parameters stand in `parameters`, or beside `provider` and `operation`; what stands there and is none is left out,
    with a warning in the node's log. Null and empty text count as not said.
    Providers, operations and their parameters are listed at `/node-types/integration/providers`. A credential with a
    `base_url` is used there: of GitHub Enterprise, or of a sandbox. An answer has 10 MB at most, a file 50 MB.

    What changes something carries an idempotency key where the service knows one (Stripe, Discord). Elsewhere an
    attempt that broke off may have been carried out, and is made again: `retry.attempts: 1` and
    `onInterrupted: fail` prevent that.
    """

    Config = IntegrationConfig

    def run(self, node: NodeInput[IntegrationConfig], lent: Lent) -> NodeOutput:
        config = node.config
        provider, operation = _named(config.provider, config.operation)
        try:
            given = operation.parameters.model_validate(_parameters(operation, config.loose, config.parameters))
        except ValidationError as invalid:
            raise ConfigError(_told(invalid, operation)) from None
        for name in sorted(config.loose.keys() - parameter_names(operation) - NOTES):
            lent.log("warning", f"{name} is no parameter of {operation.name}, and has been left out.")
        credential = lent.credential(config.connection_id)
        data = perform(operation, given, credential=credential, idempotency_key=node.idempotency_key, lent=lent)
        lent.log("info", f"{provider.title}: {operation.title.lower()}.")
        return NodeOutput(data=data)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        names = [_first(config, PROVIDER_KEYS), _first(config, OPERATION_KEYS)]
        if not all(isinstance(name, str) and name and "{{" not in name for name in names):
            return []  # what is missing is told by its field, what is referred to when it runs
        try:
            _, operation = _named(*names)
        except ConfigError as error:
            return [(str(error.details["field"]), str(error))]
        drawn = _read(config.get("parameters")) or {}
        if not isinstance(drawn, dict):
            return []
        loose = {name: value for name, value in config.items() if name not in OWN_KEYS}
        given = _parameters(operation, loose, drawn)
        place = "parameters." if "parameters" in config else ""
        is_open = "{{" in repr(given)
        return [
            (f"{place}{field}" if field != "config" else "parameters", _mended(field, sentence, operation))
            for field, sentence in find_faults(operation.parameters, given)
            if not (field == "config" and is_open)
        ]


def _first(config: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((config[key] for key in keys if config.get(key)), None)


def _named(provider_name: str, operation_name: str) -> tuple[Provider, Operation]:
    """The operation, however its name is spelled. Raises ConfigError, which proposes another."""
    providers = directory()
    provider = providers.get(provider_name)
    if provider is None:
        raise ConfigError(
            f"There is no provider {provider_name[:50]!r}{_proposal(provider_name, providers)}; there are"
            f" {', '.join(providers)}.",
            code="unknown_provider",
            details={"field": "provider"},
        )
    operation = provider.find(operation_name)
    if operation is None:
        names = [name for each in provider.operations.values() for name in (each.name, *each.aliases)]
        raise ConfigError(
            f"{provider.title} has no operation {operation_name[:50]!r}{_proposal(operation_name, names)}; it has"
            f" {', '.join(provider.operations)}.",
            code="unknown_operation",
            details={"field": "operation"},
        )
    return provider, operation


def _parameters(operation: Operation, loose: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """*given*, and of *loose* what the operation knows: the rest may be anybody's notes."""
    known = parameter_names(operation)
    return {name: value for name, value in loose.items() if name in known} | dict(given)


def parameter_names(operation: Operation) -> frozenset[str]:
    """The names that the parameters may be given by."""
    names: set[str] = set()
    for name, info in operation.parameters.model_fields.items():
        alias = info.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        names |= {name, *(choice for choice in choices if isinstance(choice, str))}
    return frozenset(names)


def _told(invalid: ValidationError, operation: Operation) -> str:
    faults = [
        (".".join(map(str, error["loc"])) or "parameters", error["msg"].removeprefix("Value error, "))
        for error in invalid.errors(include_url=False, include_input=False)
    ]
    return f"{operation.provider.title}, {operation.name}: " + "; ".join(
        f"{field}: {_mended(field, sentence, operation)}" for field, sentence in faults
    )


def _mended(field: str, sentence: str, operation: Operation) -> str:
    if sentence != "Extra inputs are not permitted":
        return sentence
    names = sorted(parameter_names(operation))
    return f"{operation.name} has no parameter of this name{_proposal(field, names)}."


def _proposal(word: str, words: Any) -> str:
    folded = {other.lower(): other for other in words}
    found = get_close_matches(word.lower(), folded, n=1)
    return f" (did you mean {folded[found[0]]!r}?)" if found else ""
