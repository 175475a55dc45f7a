from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handlers import ConfigError, InputError, NodeTimeout, sandbox
from handlers.sandbox import bubblewrap, runtimes
from tests.handlers.fakes import RecordingLent
from tests.handlers.sandboxes import result, run

pytestmark = pytest.mark.usefixtures("switched_on")


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("python", "result = [n * 2 for n in numbers]", [2, 4]),
        ("python", "def main(inputs):\n    return inputs['numbers'][0]", 1),
        ("python", "async def main(inputs):\n    return len(inputs)", 1),
        ("python", "import asyncio\nasync def later():\n    await asyncio.sleep(0)\n    return 5\nresult = later()", 5),
        ("python", "result = None\ndef main(inputs):\n    return 1", None),
        ("python", "result = inputs['numbers'] + variables['numbers']", [1, 2, 1, 2]),
        ("python", "numbers.append(3)", None),
        ("javascript", "result = numbers.map((n) => n * 2)", [2, 4]),
        ("javascript", "const result = { n: numbers.length }", {"n": 2}),
        ("javascript", "return numbers[0] // the first", 1),
        ("javascript", "function main(inputs) { return inputs.numbers[0] }", 1),
        ("javascript", "const main = async ({ numbers }) => numbers[1]", 2),
        ("javascript", "result = Promise.resolve(5)", 5),
        ("javascript", "await null; return require('crypto').createHash('md5').update('').digest('hex').length", 32),
        ("javascript", "return [...inputs.numbers, ...variables?.numbers]", [1, 2, 1, 2]),
        ("javascript", "numbers.push(3)", None),
    ],
)
def test_the_result_is_a_variable_or_what_main_returns(language: str, code: str, expected: Any) -> None:
    assert result(code, {"numbers": [1, 2]}, language=language) == expected


def test_values_cross_unchanged_both_ways() -> None:
    value = {"text": "é\n\u2028\0", "numbers": [0, -1.5, 2**53, 1e300], "none": None, "nested": {"a": [[], {}]}}

    assert result("result = value", {"value": value}) == value
    assert result("result = value", {"value": value}, language="javascript") == value


def test_what_is_printed_is_logged_and_is_no_part_of_the_result() -> None:
    lent = RecordingLent()
    outcome = run("import sys\nprint('{\"result\": 9}')\nprint('oh', file=sys.stderr)\nresult = 1", lent=lent)

    assert (outcome.result, outcome.stdout, outcome.stderr) == (1, '{"result": 9}\n', "oh\n")
    assert lent.logs == [("info", '{"result": 9}'), ("warning", "oh")]


@pytest.mark.parametrize(
    ("language", "code", "message", "line"),
    [
        ("python", "x = 1\n\nx / 0", "ZeroDivisionError: division by zero", 'File "<code>", line 3'),
        ("python", "x = 1\nif x\n", "SyntaxError: ", 'File "<code>", line 2'),
        ("javascript", "let x = 1;\n\nx.y.z", "TypeError: ", "code.js:3:"),
        ("javascript", "let x = 1;\n}{", "SyntaxError: ", "code.js:2"),
        ("javascript", "\nsetTimeout(() => { throw new RangeError('late') });\nawait new Promise(() => {})",
         "RangeError: late", "code.js:2:"),
    ],
)  # fmt: skip
def test_an_exception_is_told_with_the_lines_of_the_program(language: str, code: str, message: str, line: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        result(f"{code}\n", language=language)

    assert caught.value.code == "code_failed"
    traceback = str(caught.value.details["traceback"])
    assert line in traceback
    assert "harness" not in traceback
    assert "[eval]" not in traceback


@pytest.mark.parametrize(
    ("language", "code", "status"),
    [
        ("python", "import sys; result = 1; sys.exit()", 0),
        ("python", "import sys; sys.exit(3)", 3),
        ("python", "import os; os._exit(4)", 4),
        ("python", "import sys; sys.exit('no')", 1),
        ("javascript", "process.exit(5)", 5),
    ],
)
def test_a_program_that_leaves_early_has_failed(language: str, code: str, status: int) -> None:
    with pytest.raises(InputError, match=f"status {status}") as caught:
        run(code, language=language)

    assert caught.value.details["exitCode"] == status


@pytest.mark.parametrize(
    ("language", "code", "reason"),
    [
        ("python", "result = float('nan')", "not JSON compliant"),
        ("python", "result = {1, 2}", "set is not JSON"),
        ("python", "result = []; result.append(result)", "Circular"),
        ("python", "result = []\nfor _ in range(100000): result = [result]", "recursion"),
        ("javascript", "return { n: NaN }", "NaN is not JSON"),
        ("javascript", "return 1 / 0", "Infinity is not JSON"),
        ("javascript", "return 10n", "BigInt"),
        ("javascript", "return { f() {} }", "a function is not JSON"),
        ("javascript", "const a = {}; a.a = a; return a", "circular"),
        ("javascript", "let a = []; for (let i = 0; i < 3000; i++) a = [a]; return a", "call stack"),
        ("javascript", "await new Promise(() => {})", "never settled"),
    ],
)
def test_a_result_that_is_no_json_is_refused(language: str, code: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        run(code, language=language)

    assert caught.value.code == "result_invalid"


def test_half_a_surrogate_pair_comes_back_as_such() -> None:
    """The engine stores its escape; it breaks nothing on the way."""
    assert result("result = chr(0xd800)") == "\ud800"
    assert result("return '\\ud800'", language="javascript") == "\ud800"


@pytest.mark.parametrize(
    ("language", "code"), [("python", "result = 'x' * 11 * 2**20"), ("javascript", "return 'x'.repeat(11 * 2**20)")]
)
def test_a_huge_result_is_refused(language: str, code: str) -> None:
    with pytest.raises(InputError, match="more than 10 MB") as caught:
        run(code, language=language, memory_mb=128)

    assert caught.value.code == "result_too_large"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "import os\nfor fd in range(3, 9): os.get_inheritable(fd) or os.write(fd, b'[1]')"),
        ("javascript", "require('fs').writeSync(0, '[1]'); process.exit(0)"),
        ("javascript", "require('fs').writeSync(0, '['.repeat(100000)); process.exit(0)"),
        ("javascript", "require('fs').writeSync(0, JSON.stringify({ error: 1, exit: 'a' })); process.exit(0)"),
    ],
)  # fmt: skip
def test_a_forged_reply_is_at_most_another_result(language: str, code: str) -> None:
    with pytest.raises(InputError):
        run(code, language=language)


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        (
            "python",
            "import json, os, sys\njson.dumps = lambda *a, **k: 'x'\nos.write = None\nsys.stdout = None\nresult = 1",
            1,
        ),
        ("python", "import builtins\nbuiltins.isinstance = builtins.hasattr = lambda *a: False\nresult = 1", 1),
        (
            "javascript",
            "JSON.stringify = () => 'x'; require('fs').writeSync = null; Number.isFinite = null; return 1",
            1,
        ),
        ("javascript", "Object.prototype.result = 7; Array.prototype.map = null; return { a: [1] }", {"a": [1]}),
        ("javascript", "Object.prototype.toJSON = () => 'forged'; return { a: 1 }", "forged"),
    ],
)
def test_a_program_that_bends_its_language_bends_no_more_than_its_result(
    language: str, code: str, expected: Any
) -> None:
    assert result(code, language=language) == expected


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "x = bytearray(100 * 2**20)"),
        ("python", "x = []\nwhile True: x.append('x' * 1000 + str(len(x)))"),
        ("javascript", "const x = []; while (true) x.push([1, 2, 3, 4])"),
        ("javascript", "const x = []; while (true) x.push(Buffer.alloc(2 ** 20, 1))"),
    ],
)
def test_a_memory_bomb_ends_the_program_alone(language: str, code: str) -> None:
    with pytest.raises(InputError, match="more than 64 MB of memory") as caught:
        run(code, language=language, memory_mb=64)

    assert caught.value.code == "code_memory"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "import time; time.sleep(60)"),
        ("python", "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"),
        ("python", "while True: print('x' * 1000)"),
        ("javascript", "while (true);"),
        ("javascript", "while (true) console.log('x'.repeat(1000));"),
        ("javascript", "await new Promise((resolve) => setTimeout(resolve, 60000))"),
    ],
)
def test_a_program_without_an_end_is_ended(language: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.sandbox.programs._START_SECONDS", 0.1)

    with pytest.raises(NodeTimeout, match=r"longer than 0\.2 s") as caught:
        run(code, language=language, seconds=0.2)

    assert not caught.value.retryable


def test_a_program_that_only_computes_is_ended_by_the_time_it_took() -> None:
    """Though others had the processor for most of it."""
    with pytest.raises(NodeTimeout, match="longer than 1 s"):
        run("while True: pass", seconds=1)


def test_a_flood_of_output_is_kept_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    lent = RecordingLent()
    outcome = run("for _ in range(3000): print('x' * 99)\nresult = 1", lent=lent)

    assert (len(outcome.stdout), outcome.is_cut, outcome.result) == (64 * 1024, True, 1)
    assert lent.logs[-1] == ("warning", "Of what it printed, 64 KB are kept.")


def test_an_error_brings_what_was_printed_before() -> None:
    with pytest.raises(InputError) as caught:
        run("print('so far')\n1 / 0")

    assert caught.value.details["stdout"] == "so far\n"


def test_nothing_runs_where_code_is_switched_off() -> None:
    sandbox.allow(False)

    with pytest.raises(ConfigError, match="FLOWMAESTRO_CODE=1") as caught:
        run("result = 1")

    assert caught.value.code == "code_disabled"


@pytest.mark.parametrize(
    ("name", "stands_in", "message"),
    [
        ("handlers.sandbox.bubblewrap.find", lambda: None, "no `bwrap`"),
        ("handlers.sandbox.runtimes._find_python", lambda: None, r"no Python \(python3\)"),
        ("handlers.sandbox.seccomp.program", lambda: None, "x86_64 and aarch64 only"),
        ("handlers.sandbox.bubblewrap.find", lambda: "/bin/false", "cannot start on this worker: status 1"),
    ],
)
def test_nothing_runs_bare(name: str, stands_in: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name, stands_in)

    with pytest.raises(ConfigError, match=message) as caught:
        run("result = 1")

    assert caught.value.code == "sandbox_missing"


def test_a_sandbox_that_cannot_be_built_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "_DEVICES", ("/dev/none-such",))

    with pytest.raises(ConfigError, match=r"none-such.*unprivileged user namespaces") as caught:
        run("result = 1")

    assert caught.value.code == "sandbox_missing"


def test_where_the_system_has_no_python_ours_is_used_without_what_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtimes, "_SYSTEM_PYTHON", Path("/nowhere/python3"))
    found = runtimes._find_python.__wrapped__()

    assert found is not None
    assert found.program.exists()
    assert all(path.name == "site-packages" for path in found.hidden)


def test_a_machine_is_asked_whether_it_could_run_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before they are switched on: an operator asks first."""
    sandbox.allow(False)
    assert [sandbox.find_fault(language) for language in sandbox.LANGUAGES] == [None, None]

    monkeypatch.setattr(bubblewrap, "find", lambda: None)
    assert sandbox.find_fault("python") == "Code runs in bubblewrap only, and this worker has no `bwrap`."
