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

# Of arch: how a place where jumps may end begins, and how a page of the stack is touched.
CODE = {'x86_64': ((b'\xf3\x0f\x1e\xfa',), bytes.fromhex('4881ec00100000' '48830c2400')),
        'aarch64': ((bytes.fromhex('5f2403d5'), bytes.fromhex('3f2303d5')), bytes.fromhex('ff0740d1' 'ff0302f9'))}
# One function of our own and some of each library; the linker drops those that nobody calls.
MARKED = '''main malloc fopen getaddrinfo SSL_connect SSL_read EVP_DigestUpdate curl_multi_perform curl_easy_setopt
    nghttp2_session_mem_recv nghttp2_session_mem_send inflate cJSON_ParseWithLengthOpts xmlParseChunk'''.split()
TOUCHES_LEAST = 10
CHECKED_LEAST = 30      # FORTIFY 2 leaves 16 of them, 3 has 53

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

    def _header(self, name):
        table = self._sections[self._names]
        for each in self._sections:
            at = table[4] + each[0]
            if self.data[at:self.data.index(b'\0', at)] == name:
                return each
        raise ValueError(f'no section {name.decode()}')

    def section(self, name):
        """The bytes of the section with that name."""
        each = self._header(name)
        return self.data[each[4]:each[4] + each[5]]

    def section_address(self, name):
        """Where the program has it."""
        return self._header(name)[3]

    def has_symbols(self):
        """Is there a symbol table, as before strip?"""
        return any(each[1] == SHT_SYMTAB for each in self._sections)

    def symbols(self):
        """The symbol table: name -> address."""
        found = {}
        for each in self._sections:
            if each[1] != SHT_SYMTAB:
                continue
            strings = self._sections[each[6]]
            for at in range(each[4], each[4] + each[5], 24):
                name, _info, _other, _section, address, _size = struct.unpack_from('<IBBHQQ', self.data, at)
                start = strings[4] + name
                found[self.data[start:self.data.index(b'\0', start)].decode('ascii', 'replace')] = address
        return found

    def code_at(self, address, size):
        """The bytes that the program has at an address."""
        for _type, _flags, offset, start, _physical, length, _memory, _align in self.segment(PT_LOAD):
            if start <= address < start + length:
                return self.data[offset + address - start:][:size]
        return b''


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


def calls(code, base, target):
    """How many calls of the function there are in the code (x86_64: E8 and the distance)."""
    count, at = 0, code.find(b'\xe8')
    while at >= 0:
        if at + 5 <= len(code) and base + at + 5 + struct.unpack_from('<i', code, at + 1)[0] == target:
            count += 1
        at = code.find(b'\xe8', at + 1)
    return count


def check_code(checks, elf, unstripped, arch):
    """What the compiler's options put into the code, in our part and in each library."""
    symbols, code = unstripped.symbols(), elf.section(b'.text')
    marks, touch = CODE[arch]
    functions = [name for name in MARKED if name in symbols]
    bare = [name for name in functions if elf.code_at(symbols[name], 4) not in marks]
    checks.check(len(functions) > len(MARKED) // 2 and not bare,
                 'marks where jumps may end, in every library (CET, BTI)',
                 ' '.join(bare) or f'{len(functions)} looked at')
    checks.check(code.count(touch) >= TOUCHES_LEAST, 'touches each page of a large stack frame (stack clash)',
                 code.count(touch))
    if arch == 'x86_64':
        base = elf.section_address(b'.text')
        count = sum(calls(code, base, symbols[name]) for name in symbols if re.fullmatch(r'__mem\w+_chk', name))
        checks.check(count >= CHECKED_LEAST, 'checks copies into memory of a size that only the run knows (FORTIFY 3)',
                     count)


def check_symbols(checks, elf, unstripped):
    """Which protections the compiler built in: only names tell, and those are in the unstripped twin."""
    checks.check(elf.section(b'.text') == unstripped.section(b'.text'), 'has the code of the file with symbols')
    names = unstripped.symbols()
    checks.check('__stack_chk_fail' in names, 'has stack protectors')
    fortified = sorted(name for name in names if re.fullmatch(r'__\w+_chk', name))
    checks.check('__chk_fail' in names and fortified, 'has fortified functions', ' '.join(fortified))
    checks.check({'__malloc_alloc_meta', 'get_meta'} & set(names) and not any('mi_malloc' in name for name in names),
                 "has musl's allocator, which keeps its lists away from the data and checks them")


def check_environment(checks, command):
    """Variables that allocators and C libraries listen to: what is said and done stays the same."""
    settings = {**{f'MIMALLOC_{name}': '1' for name in ('SHOW_STATS', 'VERBOSE', 'SHOW_ERRORS', 'LARGE_OS_PAGES')},
                'MALLOC_CONF': 'stats_print:true,abort_conf:true', 'MALLOC_CHECK_': '3', 'MALLOC_PERTURB_': '165',
                'MALLOC_TRACE': '/dev/stderr', 'MALLOC_ARENA_MAX': '1', 'MALLOC_TOP_PAD_': '1',
                'GLIBC_TUNABLES': 'glibc.malloc.check=3:glibc.malloc.perturb=165', 'LD_DEBUG': 'all',
                'LD_SHOW_AUXV': '1', 'TCMALLOC_STACKTRACE': '1', 'HEAPPROFILE': '/dev/stderr'}
    said = [subprocess.run([*command, '--scheme'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                           env=env).stdout for env in ({}, settings)]
    checks.check(said[0] == said[1], 'heeds no variable of an allocator or a C library',
                 '' if said[0] == said[1] else said[1][:80])


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
        check_code(checks, elf, Elf(options.symbols), options.arch)
    check_strings(checks, elf, options.not_in)
    own = platform.machine() == options.arch
    command = [os.path.abspath(options.program)]
    command = command if own else [f'qemu-{options.arch}-static', *command]
    check_running(checks, command, options.version, own)
    check_environment(checks, command)
    print(f'{checks.passed} passed, {checks.failed} failed')
    return 1 if checks.failed else 0


if __name__ == '__main__':
    sys.exit(main())
