"""Packages from npm for a test: installed by a committed lock file into a folder under build/, and kept there."""
import filecmp
import os
import shutil
import subprocess
import unittest

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def missing(why):
    """Skips the tests, except where they must not be left out: in continuous integration and in `make dashboard`."""
    if os.environ.get('CI') or os.environ.get('MUST_RUN'):
        pytest.fail(why)
    raise unittest.SkipTest(why)


def install(source, target, *programs):
    """Copies the files of a folder beside this file into build/<target> and installs the packages that its lock file
    names. Returns the path of build/<target>."""
    source, target = os.path.join(HERE, source), os.path.join(ROOT, 'build', target)
    for program in ('node', 'npm', *programs):
        if not shutil.which(program):
            missing(f'{program} is not installed')
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        shutil.copy(os.path.join(source, name), target)
    lock, installed = os.path.join(source, 'package-lock.json'), os.path.join(target, 'installed-lock.json')
    if os.path.exists(installed) and filecmp.cmp(installed, lock, shallow=False):
        return target
    command = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1']
    done = subprocess.run(command, cwd=target, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        missing('npm ci failed (no network?): ' + done.stdout[-300:])
    shutil.copy(lock, installed)
    return target


def node(folder, *command, seconds=300):
    """Runs a script of the folder; returns its standard output."""
    done = subprocess.run(['node', *command], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=seconds, check=False)
    if done.returncode:
        raise AssertionError(f'{command[0]}: {done.stdout[-1500:]}{done.stderr[-1500:]}')
    return done.stdout
