"""Programs of the author's own."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from handlers import sandbox
from handlers.base import Effect, JSONObject, JSONValue, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput, Raw
from handlers.ports import Lent
from handlers.registry import node_type

MAX_CODE_LENGTH: Final = 200_000  # characters
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)
# What cannot be the name of a variable in JavaScript; the words of Python are known.
_RESERVED: Final = frozenset(
    re.findall(
        r"\w+",
        "Infinity NaN arguments await break case catch class const continue debugger default delete do else "
        "enum eval export extends false finally for function globalThis if implements import in instanceof "
        "interface let new null package private protected public return static super switch this throw true "
        "try typeof undefined var void while with yield",
    )
)
_REFUSED: Final = {
    "shell": "There is no shell to run: a sandbox has no programs but its interpreter. Use python or javascript.",
}
_NEVER: Final = {
    "allowNetworkAccess": "Code has no network; fetch with an http node and hand the answer in by inputVariables.",
    "allowFileSystemAccess": "Code has no files; read and write them with file nodes. /tmp is its own while it runs.",
}


# How existing workflows mean a value without naming it anywhere else: `inputs.order`, `variables["order"]`.
_MENTION: Final = re.compile(
    r"""\b(?:inputs|variables)\s*(?:\??\.\s*([A-Za-z_]\w*)|(?:\?\.)?\[\s*(["'])([A-Za-z_]\w*)\2\s*\])""", re.ASCII
)


def _check_language(language: str) -> str:
    if language in _REFUSED:
        raise ValueError(_REFUSED[language])
    return language


def _check_names(inputs: dict[str, Any]) -> dict[str, Any]:
    for name in inputs:
        if not _is_name(name):
            raise ValueError(f"{name!r} cannot be the name of a variable; write inputs: {{name: {{{{reference}}}}}}.")
    return inputs


class CodeConfig(NodeConfig):
    language: Annotated[Literal["javascript", "python", "shell"], AfterValidator(_check_language)] = "javascript"
    code: Raw = Field(min_length=1, max_length=MAX_CODE_LENGTH, description="The program. {{…}} in it is left alone.")
    input_variables: list[str] = Field(
        [], description="Names of what the program is given: `order` is the value of {{order}}, as its variable order."
    )
    inputs: Annotated[dict[str, Any], AfterValidator(_check_names)] = Field(
        {}, description="What else it is given: variable → value, usually a {{reference}}."
    )
    timeout: int = Field(30_000, ge=100, le=300_000, description="Milliseconds.")
    memory: int = Field(128, ge=16, le=512, description="MB, beside what the interpreter itself needs.")


@node_type("code", category="logic", title="Code", effect=Effect.EFFECT, lane=Lane.CPU)
class Code(NodeHandler[CodeConfig]):
    """Run a program in Python or JavaScript (`language`), in a sandbox without network, files or other processes.

    It is given the values that `inputVariables` and `inputs` name, as its variables, and all of them as the object
    `inputs`, or `variables`. A configuration without these two fields gives it what the program itself mentions:
    `inputs.order` is the value of `{{order}}`.

    It answers with one of these: the variable `result`; else what its function `main(inputs)` returns; in JavaScript
    also what it returns at the top, where `await` is possible too. A result that has to be awaited is. Without any of
    these the result is null.

    Output: `{"language", "output", "stdout", "stderr", "metadata": {"executionTime", "exitCode"}}`; `output` is the
    result, the time is in milliseconds. What the program prints is in the node's log as well; 64 KB of each stream are
    kept. There is the language's standard library (Node.js's modules by `require`) and nothing else.

    Limits: `timeout`, in time of the processor and by the clock; `memory`; 16 MB in files at `/tmp`; 10 MB of result.

    Errors: `code_failed` (its message is that of the program's exception, `details.traceback` has its lines);
    `code_memory`; `timeout`; `result_invalid` for what is not JSON, such as NaN or a function; `result_too_large`;
    `code_disabled` where the site has not switched code on (`FLOWMAESTRO_CODE`), and `sandbox_missing` where a worker
    has no bubblewrap or no interpreter: nothing runs outside of the sandbox. Bugs of the kernel and side channels of
    the processor are what it does not stop.
    """

    Config = CodeConfig

    def run(self, node: NodeInput[CodeConfig], lent: Lent) -> NodeOutput:
        config = node.config
        with lent.limits.slot("code", at_once=None, per_minute=None):  # the site may say how many
            outcome = sandbox.run(
                config.language,
                config.code,
                config.inputs,
                seconds=config.timeout / 1000,
                memory_mb=config.memory,
                lent=lent,
            )
        metadata: JSONObject = {"executionTime": round(outcome.seconds * 1000), "exitCode": 0}
        data: JSONObject = {
            "language": config.language,
            "output": outcome.result,
            "stdout": outcome.stdout,
            "stderr": outcome.stderr,
            "metadata": metadata,
        }
        return NodeOutput(data=data)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        wrong = [(name, reason) for name, reason in _NEVER.items() if config.get(name) is True]
        names = config.get("inputVariables")
        if isinstance(names, list):
            wrong += [
                (
                    "inputVariables",
                    f"{name!r} cannot be the name of a variable; use inputs: {{name: {{{{reference}}}}}}.",
                )
                for name in names
                if not isinstance(name, str) or not _is_name(name)
            ]
        return wrong

    @classmethod
    def implied(cls, drawn_as: str, config: Mapping[str, Any]) -> JSONObject:
        del drawn_as
        names, inputs, code = (config.get(key) for key in ("inputVariables", "inputs", "code"))
        if names is None and inputs is None and isinstance(code, str):
            names = _mentioned(code)
        inputs = {} if inputs is None else inputs
        if not isinstance(names, list) or not isinstance(inputs, Mapping):
            return {}
        named: dict[str, JSONValue] = {name: f"{{{{{name}}}}}" for name in names if isinstance(name, str)}
        return {"inputs": {**named, **inputs}} if named else {}


def _mentioned(code: str) -> list[str]:
    found = (dotted or bracketed for dotted, _, bracketed in _MENTION.findall(code[:MAX_CODE_LENGTH]))
    return [name for name in dict.fromkeys(found) if _is_name(name)]


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not keyword.iskeyword(name) and name not in _RESERVED
