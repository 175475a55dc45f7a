"""Each attack is made for real, from inside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import Any

import pytest

from handlers import Cancelled
from tests.handlers.fakes import RecordingLent
from tests.handlers.sandboxes import result, run

pytestmark = pytest.mark.usefixtures("switched_on")

REPOSITORY = Path(__file__).resolve().parents[3]


def attacks(*codes: str, **inputs: Any) -> list[Any]:
    """What came of each, in one sandbox: the name of the OSError that refused it, or whatever it left as `got`."""
    program = (
        "import ctypes, os, socket\n"
        "result = []\n"
        "for code in codes:\n"
        "    names = {'ctypes': ctypes, 'os': os, 'socket': socket, 'got': None, **inputs}\n"
        "    try:\n"
        "        exec(code, names)\n"
        "        result.append(names['got'])\n"
        "    except OSError as error:\n"
        "        result.append(type(error).__name__)\n"
    )
    return list(result(program, {"codes": list(codes), "inputs": inputs}))


def attack(code: str, **inputs: Any) -> Any:
    return attacks(code, **inputs)[0]


def calls(*numbers_and_arguments: tuple[int, ...]) -> list[str]:
    """System calls without a library's help; what refused each."""
    return attacks(
        *(
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            f"answer = libc.syscall({', '.join(map(str, arguments))})\n"
            "got = 'done' if answer >= 0 else os.strerror(ctypes.get_errno())"
            for arguments in numbers_and_arguments
        )
    )


# --- Network


@pytest.fixture
def listener() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def test_open_a_tcp_connection(listener: socket.socket) -> None:
    code = "socket.create_connection(('127.0.0.1', port), timeout=2)"

    assert attack(code, port=listener.getsockname()[1]) == "PermissionError"
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_open_a_tcp_connection_from_javascript(listener: socket.socket) -> None:
    code = (
        "return await new Promise((resolve) => require('net').connect(port, '127.0.0.1')"
        ".on('connect', () => resolve('connected')).on('error', (error) => resolve(error.code)))"
    )

    assert result(code, {"port": listener.getsockname()[1]}, language="javascript") == "EPERM"


def test_open_a_socket_of_another_kind() -> None:
    kinds = [
        "AF_INET, socket.SOCK_DGRAM",
        "AF_INET6, socket.SOCK_STREAM",
        "AF_INET, socket.SOCK_RAW",
        "AF_UNIX, socket.SOCK_STREAM",
        "AF_NETLINK, socket.SOCK_RAW",
        "AF_PACKET, socket.SOCK_RAW",
        "AF_VSOCK, socket.SOCK_STREAM",  # reaches the host from any network namespace
        "AF_ALG, socket.SOCK_SEQPACKET",
    ]

    assert attacks(*(f"socket.socket(socket.{kind})\ngot = 'open'" for kind in kinds)) == ["PermissionError"] * len(
        kinds
    )


def test_ask_a_name_server() -> None:
    assert attack("socket.getaddrinfo('example.org', 80)") == "gaierror"


def test_reach_an_abstract_socket_of_the_host() -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0flowmaestro-test")
        server.listen()

        assert attack("socket.socket(socket.AF_UNIX).connect('\\0flowmaestro-test')") == "PermissionError"


# --- Files


def test_read_what_is_not_the_interpreters() -> None:
    paths = [
        "/etc/passwd",
        "/etc/hosts",
        "/proc/1/environ",
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "/sys/class",
        "/home",
        "/root",
        "/var",
        "/run",
        "/usr/local",
        "/dev/shm",
        "/dev/tty",
        str(REPOSITORY),
        __file__,
        sys.prefix,
    ]

    codes = [f"os.stat({path!r})\ngot = 'there'" for path in paths]
    assert dict(zip(paths, attacks(*codes), strict=True)) == dict.fromkeys(paths, "FileNotFoundError")


def test_read_the_workers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    assert result("import os\nresult = sorted(os.environ)") == ["HOME", "LANG", "MALLOC_ARENA_MAX", "PATH", "PWD"]
    assert "sk-secret" not in str(result("return process.env", language="javascript"))


def test_write_outside_of_the_scratch_directory() -> None:
    paths = ["/evil", "/usr/lib/evil", "/usr/evil", "/dev/evil", "/bin/evil"]

    read_only = attacks(*(f"open({path!r}, 'w')\ngot = 'written'" for path in paths))
    assert read_only == ["OSError"] * len(paths)


def test_leave_by_a_symlink() -> None:
    code = "os.symlink('../../../../etc/passwd', '/tmp/link')\nopen('/tmp/link')"

    assert attack(code) == "FileNotFoundError"


def test_replace_the_interpreter_by_a_link() -> None:
    assert attack("os.rename('/usr/bin', '/tmp/bin')\ngot = 'moved'") == "OSError"
    assert attack("os.chmod('/usr/lib', 0o777)\ngot = 'changed'") == "OSError"


def test_the_scratch_directory_is_gone_afterwards() -> None:
    assert attack("open('/tmp/mark', 'w').write('x')\ngot = os.listdir('/tmp')") == ["mark"]
    assert attack("got = os.listdir('/tmp')") == []
    assert not Path("/tmp/mark").exists()


def test_fill_the_scratch_directory() -> None:
    code = "for n in range(9):\n    open(f'/tmp/{n}', 'wb').write(bytes(4 * 2**20))\ngot = 'filled'"

    assert attack(code) == "OSError"  # no space left


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
def test_keep_memory_where_no_limit_counts_it() -> None:
    assert attack("os.memfd_create('x')\ngot = 'made'") == "PermissionError"
    assert calls((29, 0, 4096, 0o1600)) == ["Operation not permitted"]  # shmget


# --- Descriptors


def test_use_an_open_file_of_the_worker(tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        ours = os.fstat(file.fileno())
        code = (
            "got = []\n"
            "for fd in range(256):\n"
            "    try:\n"
            "        seen = os.fstat(fd)\n"
            "    except OSError:\n"
            "        continue\n"
            "    got.append([seen.st_dev, seen.st_ino])"
        )

        seen = attack(code)

    assert [ours.st_dev, ours.st_ino] not in seen
    assert len(seen) <= 6  # standard streams, and what the harness answers by


# --- Processes


def test_fork() -> None:
    assert attack("os.fork()\ngot = 'forked'") == "PermissionError"
    assert attack("import subprocess\nsubprocess.run(['/bin/sh', '-c', 'true'])\ngot = 'ran'") == "PermissionError"


def test_start_threads_without_end() -> None:
    code = (
        "import threading\n"
        "stop = threading.Event()\n"
        "got = 0\n"
        "try:\n"
        "    while got < 1000:\n"
        "        threading.Thread(target=stop.wait, daemon=True).start()\n"
        "        got += 1\n"
        "except RuntimeError:\n"
        "    pass"
    )

    assert 1 <= attack(code) < 32


def test_signal_another_process() -> None:
    assert attack("os.kill(pid, 0)\ngot = 'there'", pid=os.getpid()) == "ProcessLookupError"
    assert attack("os.kill(1, 9)\ngot = 'alive'") == "alive"  # the first of a namespace is not killed from inside


def test_become_somebody() -> None:
    codes = [
        "os.setuid(0)",
        "os.setgid(0)",
        "os.setgroups([0])",
        "os.chroot('/tmp')",
        "socket.sethostname('evil')",
        "os.nice(-10)",
        "os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0))",
    ]

    # OSError: in its user namespace there is no such user.
    assert set(attacks(*(f"{code}\ngot = 'done'" for code in codes))) <= {"PermissionError", "OSError"}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
def test_call_the_kernel_itself() -> None:
    numbers = {
        "ptrace": 101,
        "mount": 165,
        "umount": 166,
        "pivot_root": 155,
        "unshare": 272,
        "setns": 308,
        "process_vm_readv": 310,
        "bpf": 321,
        "userfaultfd": 323,
        "io_uring": 425,
        "perf": 298,
        "keyctl": 250,
        "init_module": 175,
        "kexec": 246,
        "pidfd_open": 434,
    }
    refused = calls(*((number, 0, 0, 0, 0, 0) for number in numbers.values()))

    assert dict(zip(numbers, refused, strict=True)) == dict.fromkeys(numbers, "Operation not permitted")
    assert calls((435, 0, 0)) == ["Function not implemented"]  # clone3


def test_raise_its_own_limits() -> None:
    code = (
        "import resource\n"
        "try:\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))\n"
        "except ValueError:\n"
        "    got = 'refused'"
    )

    assert attack(code) == "refused"


# --- The end


def leftovers(mark: str) -> list[int]:
    """Processes whose command has *mark* in it: bubblewrap's, which end with the sandbox."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes()
        except OSError:
            continue
        if mark.encode() in command and b"bwrap" in command:
            found.append(int(entry.parent.name))
    return found


def ends(mark: str) -> bool:
    until = monotonic() + 5
    while leftovers(mark) and monotonic() < until:
        sleep(0.01)
    return not leftovers(mark)


def test_a_cancelled_program_is_gone_with_its_sandbox() -> None:
    lent = RecordingLent()
    Timer(0.5, lent.cancel).start()

    with pytest.raises(Cancelled):
        run("import time\nwhile True: time.sleep(1)", seconds=287, lent=lent)

    assert ends("ulimit -S -t 287")


def test_a_program_ends_with_the_worker_that_ran_it(tmp_path: Path) -> None:
    """Nobody is left to cancel it, and the run is given to others."""
    script = (
        "from handlers import sandbox\n"
        "from tests.handlers.fakes import RecordingLent\n"
        "sandbox.allow(True)\n"
        "sandbox.run('python', 'while True: pass', {}, seconds=289, memory_mb=64, lent=RecordingLent())\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY)
    until = monotonic() + 20
    while not leftovers("ulimit -S -t 289") and monotonic() < until:
        sleep(0.02)
    assert leftovers("ulimit -S -t 289")

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    assert ends("ulimit -S -t 289")
