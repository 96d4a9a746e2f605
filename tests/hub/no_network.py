"""A process to which the kernel gives no socket of any network, and no connection at all: whatever asks for one ends it (SIGSYS).

``python -m tests.hub.no_network HOME SESSION REPLAY…`` runs those replays as `lgsp replay run` does; without any it tries the guard.
Linux on x86-64 and arm64 (seccomp(2)); ends with 77 where the kernel does not take the filter.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import sys

NOT_HERE = 77
_MACHINES = {"x86_64": (0xC000003E, 41, 42), "aarch64": (0xC00000B7, 198, 203)}  # AUDIT_ARCH_…, numbers of socket(2) and connect(2)
_LOAD, _IS, _END = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_ARCHITECTURE, _NUMBER, _FIRST_ARGUMENT = 4, 0, 16  # offsets in struct seccomp_data
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def shut() -> None:
    """From here on. Raises OSError where that cannot be had."""
    if platform.machine() not in _MACHINES or sys.platform != "linux":
        raise OSError(f"no filter for {platform.machine()}")
    architecture, to_socket, to_connect = _MACHINES[platform.machine()]
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IS, 0, 6, architecture),  # another: KILL
        (_LOAD, 0, 0, _NUMBER),
        (_IS, 4, 0, to_connect),  # KILL
        (_IS, 0, 2, to_socket),  # another call: ALLOW
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IS, 0, 1, socket.AF_UNIX),  # another family: KILL
        (_END, 0, 0, _ALLOW),
        (_END, 0, 0, _KILL),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, ctypes.c_char_p(program), 0, 0)):
        if libc.prctl(*call):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main(arguments: list[str]) -> None:
    """See above. What a run needs is imported before: urllib3 looks then, once, whether this machine has IPv6."""
    import hub.rework.workshop  # noqa: F401
    from hub.cli import app

    try:
        shut()
    except OSError as fault:
        print(fault)
        sys.exit(NOT_HERE)
    if not arguments:
        socket.create_connection(("127.0.0.1", 9))
        return
    home, session, *jobs = arguments
    for job in jobs:
        app(["replay", "run", job, "--home", home, "--session", session], standalone_mode=False)


if __name__ == "__main__":
    main(sys.argv[1:])
