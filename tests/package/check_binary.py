#!/usr/bin/env python3
"""Holds a release program against what it must be to run anywhere: reads its ELF file, runs and times --scheme.

    check_binary.py [--symbols UNSTRIPPED] [--arch x86_64|aarch64] [--version V] [--not-in FOLDER] PROGRAM

One line a check; exits 1 if one fails.
"""
import argparse
import os
import platform
import re
import statistics
import struct
import subprocess
import sys
import time

SIZE_MOST = 8 * 1024 * 1024
FIRST_BYTE_MOST_MS = 10
MACHINES = {'x86_64': 62, 'aarch64': 183}

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PT_GNU_STACK, PT_GNU_RELRO = 0x6474e551, 0x6474e552
PF_X, PF_W = 1, 2
SHT_SYMTAB = 2
DT_NEEDED, DT_RPATH, DT_TEXTREL, DT_FLAGS, DT_RUNPATH, DT_FLAGS_1 = 1, 15, 22, 30, 29, 0x6ffffffb
DF_TEXTREL, DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 4, 8, 1, 0x8000000


class Elf:
    """The headers of a 64-bit little-endian ELF file."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = file.read()
        if self.data[:6] != b'\x7fELF\x02\x01':
            raise ValueError(f'{path} is not a 64-bit little-endian ELF file')
        (self.type, self.machine, _version, _entry, segments_at, sections_at, _flags, _size, segment_size, segments,
         section_size, sections, names) = struct.unpack_from('<HHIQQQIHHHHHH', self.data, 16)
        self.segments = [struct.unpack_from('<IIQQQQQQ', self.data, segments_at + index * segment_size)
                         for index in range(segments)]
        self._sections = [struct.unpack_from('<IIQQQQIIQQ', self.data, sections_at + index * section_size)
                          for index in range(sections)]
        self._names = names

    def segment(self, kind):
        """All program headers of a kind: (type, flags, offset, address, physical, size in file, in memory, align)."""
        return [each for each in self.segments if each[0] == kind]

    def dynamic(self):
        """The dynamic section: tag -> values."""
        found = {}
        for _type, _flags, offset, _address, _physical, size, _memory, _align in self.segment(PT_DYNAMIC):
            for at in range(offset, offset + size, 16):
                tag, value = struct.unpack_from('<qQ', self.data, at)
                if tag == 0:
                    break
                found.setdefault(tag, []).append(value)
        return found

    def section(self, name):
        """The bytes of the section with that name."""
        table = self._sections[self._names]
        for each in self._sections:
            at = table[4] + each[0]
            if self.data[at:self.data.index(b'\0', at)] == name:
                return self.data[each[4]:each[4] + each[5]]
        raise ValueError(f'no section {name.decode()}')

    def has_symbols(self):
        """Is there a symbol table, as before strip?"""
        return any(each[1] == SHT_SYMTAB for each in self._sections)

    def symbols(self):
        """The names of the symbol table."""
        names = set()
        for each in self._sections:
            if each[1] != SHT_SYMTAB:
                continue
            strings = self._sections[each[6]]
            for at in range(each[4], each[4] + each[5], 24):
                start = strings[4] + struct.unpack_from('<I', self.data, at)[0]
                names.add(self.data[start:self.data.index(b'\0', start)].decode('ascii', 'replace'))
        return names


class Checks:
    """Counts and prints."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, what, found=''):
        """One line; found: what was seen, shown either way."""
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f'{"ok  " if good else "FAIL"}  {what}' + (f': {found}' if found != '' else ''))


def check_file(checks, elf, arch):
    """What the loader and the kernel see."""
    dynamic = elf.dynamic()
    flags, flags_1 = dynamic.get(DT_FLAGS, [0])[0], dynamic.get(DT_FLAGS_1, [0])[0]
    stack = elf.segment(PT_GNU_STACK)

    checks.check(elf.machine == MACHINES[arch], f'is a program for {arch}')
    checks.check(elf.type == 3 and flags_1 & DF_1_PIE, 'is position independent')
    checks.check(not elf.segment(PT_INTERP), 'needs no loader of the host')
    checks.check(not set(dynamic) & {DT_NEEDED, DT_RPATH, DT_RUNPATH}, 'needs no library of the host')
    checks.check(elf.segment(PT_GNU_RELRO), 'has read-only relocations (RELRO)')
    checks.check(flags & DF_BIND_NOW or flags_1 & DF_1_NOW, 'resolves everything before it runs (BIND_NOW)')
    checks.check(stack and not stack[0][1] & PF_X, 'has a stack that cannot be executed')
    checks.check(not any(each[1] & PF_W and each[1] & PF_X for each in elf.segment(PT_LOAD)),
                 'has no segment that can be written and executed')
    checks.check(DT_TEXTREL not in dynamic and not flags & DF_TEXTREL, 'has no relocation in its code')
    checks.check(not elf.has_symbols(), 'is stripped')
    checks.check(len(elf.data) <= SIZE_MOST, f'is at most {SIZE_MOST} bytes', len(elf.data))


def check_symbols(checks, elf, unstripped):
    """Which protections the compiler built in: only names tell, and those are in the unstripped twin."""
    checks.check(elf.section(b'.text') == unstripped.section(b'.text'), 'has the code of the file with symbols')
    names = unstripped.symbols()
    checks.check('__stack_chk_fail' in names, 'has stack protectors')
    fortified = sorted(name for name in names if re.fullmatch(r'__\w+_chk', name))
    checks.check('__chk_fail' in names and fortified, 'has fortified functions', ' '.join(fortified))
    checks.check('mi_malloc' in names, 'has the allocator that was chosen (mimalloc)')
    checks.check('isal_inflate' in names, 'has the fast inflate (ISA-L)')


def check_strings(checks, elf, folders):
    """Names of folders of the machine that built it."""
    found = [folder for folder in folders if folder.encode() + b'/' in elf.data]
    checks.check(not found, 'names no folder of the build', ', '.join(found))


def first_byte_ms(command):
    """From before the start to the first byte of standard output."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    first = os.read(process.stdout.fileno(), 1)
    taken = (time.perf_counter() - began) * 1000
    process.communicate()
    return taken if first and process.returncode == 0 else float('inf')


def check_running(checks, command, version, judge_time):
    """What it does: the same programs that splunkd calls first."""
    done = subprocess.run([*command, '--version'], stdout=subprocess.PIPE, check=False)
    said = done.stdout.decode(errors='replace').strip()
    checks.check(done.returncode == 0 and (version is None or version in said.split()), '--version', said)
    # The quickest of some starts, as the others measure what else this machine does; of more where it does much else.
    taken = [first_byte_ms([*command, '--scheme']) for _ in range(21)]
    while judge_time and min(taken) > FIRST_BYTE_MOST_MS and len(taken) < 400:
        taken.append(first_byte_ms([*command, '--scheme']))
    checks.check(min(taken) <= FIRST_BYTE_MOST_MS or not judge_time and min(taken) < float('inf'),
                 f'begins to answer --scheme in at most {FIRST_BYTE_MOST_MS} ms' if judge_time else
                 'answers --scheme (time not judged: emulated)',
                 f'{min(taken):.1f} ms, median {statistics.median(taken):.1f} ms')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--symbols', help='the same program before strip')
    parser.add_argument('--arch', default='x86_64', choices=MACHINES)
    parser.add_argument('--version', help='what --version must say')
    parser.add_argument('--not-in', action='append', default=[], help='a folder whose name must not be inside')
    parser.add_argument('program')
    options = parser.parse_args()
    checks, elf = Checks(), Elf(options.program)

    check_file(checks, elf, options.arch)
    if options.symbols:
        check_symbols(checks, elf, Elf(options.symbols))
    check_strings(checks, elf, options.not_in)
    own = platform.machine() == options.arch
    command = [os.path.abspath(options.program)]
    check_running(checks, command if own else [f'qemu-{options.arch}-static', *command], options.version, own)
    print(f'{checks.passed} passed, {checks.failed} failed')
    return 1 if checks.failed else 0


if __name__ == '__main__':
    sys.exit(main())
