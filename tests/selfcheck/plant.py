"""What the tests of the checks share: a check is run on something with a mistake in it, and on nothing."""
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*command, cwd=ROOT, **environment):
    """(exit status, what it wrote) of a command."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, 'MAKEFLAGS': '', **environment}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          errors='replace', timeout=200)
    return done.returncode, done.stdout


def built(*targets):
    """Makes what a check needs, one test at a time."""
    os.makedirs(os.path.join(ROOT, 'build'), exist_ok=True)
    code, said = run('flock', os.path.join(ROOT, 'build/selfcheck.lock'), 'make', '-s', *targets)
    assert code == 0, said


def module(path):
    """A script of the repository, as a module."""
    path = os.path.join(ROOT, path)
    name = os.path.basename(path).partition('.')[0]
    loader = importlib.machinery.SourceFileLoader(name + '_script', path)
    found = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(found)
    finally:
        sys.dont_write_bytecode = writes
    return found


def write(folder, name, text, mode=0o644):
    """A file in a folder; returns its path."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def read(folder, name):
    """The text of a file in a folder."""
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return file.read()


def change(folder, name, old, new):
    """Other text in a file."""
    text = read(folder, name)
    assert old in text, f'{old!r} is not in {name}'
    write(folder, name, text.replace(old, new, 1), os.stat(os.path.join(folder, name)).st_mode & 0o777)


def copy(folder, *names):
    """Files and folders of the repository, to the same place in another folder."""
    for name in names:
        source, target = os.path.join(ROOT, name), os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(source, target)


def last_line(said):
    """The sum."""
    return said.rstrip().rpartition('\n')[2]
