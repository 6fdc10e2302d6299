#!/usr/bin/env python3
"""Runs a program on x86_64 as if under Linux 3.10, RHEL 7's: each system call that came later "is not implemented", and
uname says 2.6 (the kernel offers that; OpenSSL goes by it when getrandom is missing).

    old_kernel.py PROGRAM [ARGUMENT...]

An emulation by a seccomp filter: what later kernels changed within older calls is not undone."""
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
UNAME26 = 0x0020000
LD_ABS, JGE, RET = 0x20, 0x35, 0x06
RET_ALLOW, RET_ENOSYS = 0x7fff0000, 0x00050000 | 38
FIRST_AFTER_3_10 = 314          # sched_setattr, of Linux 3.14


def main():
    rules = [(LD_ABS, 0, 0, 0),                         # the number of the call
             (JGE, 0, 1, FIRST_AFTER_3_10), (RET, 0, 0, RET_ENOSYS), (RET, 0, 0, RET_ALLOW)]
    code = ctypes.create_string_buffer(b''.join(struct.pack('<HBBI', *each) for each in rules))
    program = ctypes.create_string_buffer(struct.pack('<HxxxxxxQ', len(rules), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.personality(UNAME26) < 0:
        sys.exit(f'personality: {os.strerror(ctypes.get_errno())}')
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program):
        sys.exit(f'seccomp: {os.strerror(ctypes.get_errno())}')
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == '__main__':
    main()
