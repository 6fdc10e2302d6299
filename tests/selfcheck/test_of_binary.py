"""tests/package/check_binary.py: a program for each property that a release program must have and this one lacks."""
import os
import platform
import shutil
import struct
import subprocess
import sys

import plant
import pytest

pytestmark = pytest.mark.skipif(platform.machine() != 'x86_64', reason='the programs are made for x86-64')

GOOD = ['-O2', '-fPIE', '-static-pie', '-fstack-protector-all', '-Wl,-z,relro,-z,now,-z,noexecstack',
        '-fcf-protection=full', '-fstack-clash-protection', '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=3']
SOURCE = r'''
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define OUTSIDE __attribute__((noipa))
#define TEN_TIMES(what) what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7) what(8) what(9)
int __chk_fail(void) { return 0; }
OUTSIDE void *__memcpy_chk(void *to, const void *from, size_t size, size_t room) { return to; }
int ALLOCATOR(void) { return 0; }
int OTHER(void) { return 0; }
int SSL_connect(void) { return 0; }
int SSL_read(void) { return 0; }
int EVP_DigestUpdate(void) { return 0; }
int curl_multi_perform(void) { return 0; }
int curl_easy_setopt(void) { return 0; }
int xmlParseChunk(void) { return 0; }
int LIBRARY inflate(void) { return 0; }
OUTSIDE void use(char *memory) { }
#define FRAME(number) OUTSIDE void frame_##number(void) { char large[5000]; use(large); }
TEN_TIMES(FRAME)
#define COPY(number) memcpy(memory + number, from, size + number);
OUTSIDE void copies(const char *from, size_t size, size_t room)
{
    char *memory = malloc(room);
    TEN_TIMES(COPY) TEN_TIMES(COPY) TEN_TIMES(COPY)
    use(memory);
}
const char where[] = "built in " FOLDER;
static char much[SIZE] = { 1 };
int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--version"))
        return puts(VERSION) < 0;
    usleep(DELAY);
    return STATUS || (argc > 1 && puts(SAYS) < 0) || much[argc] == 9 || where[argc] == 9;
}
'''
PLAIN = {'FOLDER': '"/opt/x"', 'SIZE': '100', 'VERSION': '"program 1.2.3"', 'DELAY': '0', 'STATUS': '0',
         'SAYS': '"<scheme>"', 'ALLOCATOR': 'get_meta', 'OTHER': 'other', 'LIBRARY': ''}


@pytest.fixture(scope='module', name='folder')
def _folder(tmp_path_factory):
    return tmp_path_factory.mktemp('binary')


def compiled(folder, *flags, drop=(), strip=True, **defines):
    """A program and its twin with symbols."""
    source = plant.write(folder, 'program.c', SOURCE)
    program, twin = (os.path.join(folder, name) for name in ('program', 'twin'))
    flags = [flag for flag in GOOD if flag not in drop] + list(flags)
    defined = [f'-D{name}={text}' for name, text in {**PLAIN, **defines}.items()]
    done = subprocess.run(['gcc', '-w', *defined, '-o', twin, source, *flags], stderr=subprocess.PIPE, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    # The C library here has no marks, unlike that of a release.
    subprocess.run(['objcopy', '--redefine-sym=malloc=malloc_here', '--redefine-sym=fopen=fopen_here', twin],
                   check=True)
    shutil.copy(twin, program)
    if strip:
        subprocess.run(['strip', program], check=True)
    return program, twin


def held(program, twin, *options):
    """The checks that failed, and the exit status."""
    code, said = plant.run(sys.executable, 'tests/package/check_binary.py', '--symbols', twin, '--version', '1.2.3',
                           '--not-in', '/home/somebody', *options, program)
    lines = said.splitlines()
    failed = [line[6:] for line in lines if line.startswith('FAIL')]
    if code in (0, 1) and lines and lines[-1].endswith(' failed'):
        assert lines[-1].endswith(f', {len(failed)} failed') and (code == 1) == bool(failed)
    return failed, code, said


def test_a_good_one(folder):
    failed, code, said = held(*compiled(folder))
    assert (failed, code) == ([], 0), said


RELRO = '-Wl,-z,relro,-z,now,-z,noexecstack'
# What is done otherwise, and the beginning of the check that has to notice it.
MISTAKES = {
    'position': ({'flags': ['-static', '-no-pie'], 'drop': ('-static-pie', '-fPIE')}, 'is position independent'),
    'loader': ({'flags': ['-pie'], 'drop': ('-static-pie',)}, 'needs no loader'),
    'library': ({'flags': ['-pie'], 'drop': ('-static-pie',)}, 'needs no library'),
    'relro': ({'flags': ['-Wl,-z,norelro,-z,now'], 'drop': (RELRO,)}, 'has read-only relocations'),
    'now': ({'flags': ['-pie', '-Wl,-z,relro,-z,lazy'], 'drop': (RELRO, '-static-pie')}, 'resolves everything'),
    'stack': ({'flags': ['-Wl,-z,execstack']}, 'has a stack that cannot'),
    'symbols': ({'strip': False}, 'is stripped'),
    'no marks': ({'flags': ['-fcf-protection=none']}, 'marks where jumps may end'),
    'a library without marks': ({'LIBRARY': '__attribute__((nocf_check))'}, 'marks where jumps may end'),
    'stack clash': ({'flags': ['-fno-stack-clash-protection']}, 'touches each page'),
    'fortify': ({'flags': ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2']}, 'checks copies into memory'),
    'allocator': ({'ALLOCATOR': 'get_other'}, "has musl's allocator"),
    'second allocator': ({'OTHER': 'mi_malloc'}, "has musl's allocator"),
    'size': ({'SIZE': '9000000'}, 'is at most'),
    'folder': ({'FOLDER': '"/home/somebody/src"'}, 'names no folder'),
    'version': ({'VERSION': '"program 1.2.4"'}, '--version'),
    'slow': ({'DELAY': '15000'}, 'begins to answer'),
    'silent': ({'SAYS': '""', 'STATUS': '1'}, 'begins to answer'),
}


@pytest.mark.parametrize('name', MISTAKES)
def test_each_mistake_is_found(folder, name):
    how, wanted = dict(MISTAKES[name][0]), MISTAKES[name][1]
    failed, code, said = held(*compiled(folder, *how.pop('flags', ()), **how))
    assert code == 1 and any(text.startswith(wanted) for text in failed), said


@pytest.mark.parametrize('name, wanted', [
    ('__memcpy_chk', 'has fortified'), ('__stack_chk_fail', 'has stack protectors'),
    ('SSL_connect', 'marks where jumps may end')])
def test_what_only_symbols_tell(folder, name, wanted):
    """The twin without one of them; and a twin of another program."""
    program, twin = compiled(folder)
    subprocess.run(['objcopy', '--wildcard', f'--redefine-sym={name}=other_{name.strip("_")}',
                    *(['--strip-symbol=__*_chk'] if name == '__memcpy_chk' else []), twin], check=True)
    failed, code, said = held(program, twin)
    assert code == 1 and any(text.startswith(wanted) for text in failed), said


def test_a_twin_of_another_program(folder):
    program, _ = compiled(folder)
    other = shutil.copy(program, os.path.join(folder, 'other'))
    _, twin = compiled(folder, DELAY='1 + argc')
    failed, code, _ = held(other, twin)
    assert code == 1 and any(text.startswith('has the code of the file') for text in failed)


def code_is_writable(elf):
    """Sets the bit in the program header of each segment with code."""
    at, = struct.unpack_from('<Q', elf.data, 32)
    for number, segment in enumerate(elf.segments):
        if segment[0] == 1 and segment[1] & 1:
            elf.data = elf.data[:at + number * 56 + 4] + b'\7' + elf.data[at + number * 56 + 5:]


def code_is_relocated(elf):
    """Takes the entry that ends the dynamic section for one that says so."""
    (_, _, offset, *_), = elf.segment(2)
    while elf.data[offset:offset + 8] != bytes(8):
        offset += 16
    elf.data = elf.data[:offset] + struct.pack('<qQ', 22, 0) + elf.data[offset + 16:]


@pytest.mark.parametrize('change, arch, wanted', [
    (None, 'x86_64', None), (None, 'aarch64', 'is a program for aarch64'),
    (code_is_writable, 'x86_64', 'has no segment that can be written'),
    (code_is_relocated, 'x86_64', 'has no relocation in its code')])
def test_what_no_compiler_here_does(folder, capsys, change, arch, wanted):
    """The file alone, which nobody could run."""
    checks = plant.module('tests/package/check_binary.py')
    path, counted = compiled(folder)[0], checks.Checks()
    elf = checks.Elf(path)
    if change:
        change(elf)
        with open(path, 'wb') as file:
            file.write(elf.data)
    checks.check_file(counted, checks.Elf(path), arch)
    assert counted.failed == (wanted is not None)
    assert wanted is None or f'FAIL  {wanted}' in capsys.readouterr().out


def test_no_program(folder):
    """A script, an empty file, and nothing."""
    for text in ('#!/bin/sh\n', ''):
        path = plant.write(folder, 'script', text, 0o755)
        assert held(path, path)[1] not in (0, None)
    assert held(os.path.join(folder, 'none'), os.path.join(folder, 'none'))[1] != 0
