from __future__ import annotations

import errno
import struct

import pytest

from handlers.sandbox import seccomp

X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALLOW, KILL, PERMISSION, NO_SUCH_CALL = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
THREAD = 0x3D0F00  # the flags that glibc starts a thread with
FORK = 0x01200011  # and a process


def verdict(program: bytes, number: int, *, architecture: int, first: int = 0) -> int:
    """What the kernel would make of a call: the few instructions of classic BPF that the filter uses."""
    data = struct.pack("=IIQQ", number, architecture, 0, first)
    steps = list(struct.iter_unpack("=HBBI", program))
    at, loaded = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", data, value)
            case 0x54:
                loaded &= value
            case 0x15:
                at += if_true if loaded == value else if_false
            case 0x35:
                at += if_true if loaded >= value else if_false
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(f"an instruction {code:#x}")


@pytest.mark.parametrize(
    ("machine", "architecture", "number", "first", "expected"),
    [
        ("x86_64", X86_64, 0, 0, ALLOW),  # read
        ("x86_64", X86_64, 41, 0, PERMISSION),  # socket
        ("x86_64", X86_64, 53, 0, ALLOW),  # socketpair, which event loops need
        ("x86_64", X86_64, 56, THREAD, ALLOW),
        ("x86_64", X86_64, 56, FORK, PERMISSION),
        ("x86_64", X86_64, 57, 0, PERMISSION),  # fork
        ("x86_64", X86_64, 435, 0, NO_SUCH_CALL),  # clone3
        ("x86_64", X86_64, 0x40000000 | 41, 0, KILL),  # socket of the 32-bit twin
        ("x86_64", I386, 102, 0, KILL),  # socketcall of another machine
        ("aarch64", AARCH64, 63, 0, ALLOW),
        ("aarch64", AARCH64, 198, 0, PERMISSION),
        ("aarch64", AARCH64, 220, THREAD, ALLOW),
        ("aarch64", AARCH64, 220, FORK, PERMISSION),
        ("aarch64", X86_64, 63, 0, KILL),
    ],
)
def test_calls_are_judged_by_number_machine_and_flags(
    machine: str, architecture: int, number: int, first: int, expected: int
) -> None:
    program = seccomp.program(machine)

    assert program is not None
    assert verdict(program, number, architecture=architecture, first=first) == expected


def test_a_machine_whose_calls_are_not_known_has_no_filter() -> None:
    assert seccomp.program("riscv64") is None
