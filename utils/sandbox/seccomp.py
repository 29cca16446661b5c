"""The system calls that a sandbox refuses, as the filter program that the kernel wants.

Namespaces hide things and limits count them; these calls are what is left: memory that no limit counts, and doors
into the kernel that no learner's program needs. They fail with EPERM, all others are let through.
"""

from __future__ import annotations

import platform
import struct

# call: (number on x86_64, number on aarch64); from Linux's asm/unistd_64.h and asm-generic/unistd.h
REFUSED = {
    "memfd_create": (319, 279), "memfd_secret": (447, 447),             # memory without a limit
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),      # memory that outlives its process
    "mq_open": (240, 180),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "open_tree": (428, 428), "fsopen": (430, 430),
    "unshare": (272, 97), "setns": (308, 268),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}     # column above, AUDIT_ARCH
X32 = 0x40000000                # bit of the calls of x86_64's second table, which are all refused
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06            # classic BPF
NUMBER, ARCHITECTURE = 0, 4     # offsets in struct seccomp_data
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000                # 1: EPERM


def supported() -> bool:
    """Whether the numbers of this machine's system calls are known here."""
    return platform.machine() in ARCHITECTURES


def program(refused: dict[str, tuple[int, int]] = REFUSED) -> bytes:
    """An array of struct sock_filter for this machine; KeyError on one that is not `supported`."""
    column, architecture = ARCHITECTURES[platform.machine()]
    numbers = sorted(pair[column] for pair in refused.values())
    last = len(numbers) + 1     # jumps count the instructions that they pass over
    lines = [(LOAD, 0, 0, ARCHITECTURE), (JUMP_EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL),
             (LOAD, 0, 0, NUMBER), (JUMP_AT_LEAST, last, 0, X32)]
    lines += [(JUMP_EQUAL, last - 1 - k, 0, number) for k, number in enumerate(numbers)]
    lines += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
