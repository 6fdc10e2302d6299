#!/usr/bin/env python3
"""Compares the libraries that a release is linked from with what the distribution offers. Fails if one is outdated.

    package/pins.py [--strict] [--unknown FILE] [--accepted FILE] VERSIONS

VERSIONS has lines "PACKAGE listed VERSION" and "PACKAGE used VERSION" (build-libs). Without a "used" line the pin of
package/versions counts. FILE of --unknown names suites whose lists could not be had.

An outdated library needs a reason: a row of package/instead, if only the mirror is to blame, or OUTDATED='reason' in
the environment. --accepted: writes the reasons there, for the SBOM (notices.py). --strict: no reason is good enough.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# The end of regular security support of each suite that pins may name: https://www.debian.org/releases/
SUPPORTED_UNTIL = {'trixie': datetime.date(2028, 8, 9)}


def newer(one, other):
    """Says whether one is a newer Debian version than the other."""
    return subprocess.run(['dpkg', '--compare-versions', one, 'gt', other], check=False).returncode == 0


def rows(name, columns):
    """The rows of a table in this folder, cut into columns; the last one takes the rest."""
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return [line.split(None, columns - 1) for line in file.read().splitlines() if line and not line.startswith('#')]


def read_versions(path):
    """VERSIONS: ({package: newest version listed}, {package: version used})."""
    newest, used = {}, {}
    with open(path, encoding='ascii') as file:
        for line in file:
            package, kind, version = line.split()
            if kind == 'used':
                used[package] = version
            elif package not in newest or newer(version, newest[package]):
                newest[package] = version
    return newest, used


def faults(newest, used, unknown, today):
    """Yields (package, what is wrong, the reason in package/instead or None)."""
    instead = {(package, pinned, version): reason for package, pinned, version, reason in rows('instead', 4)}
    for package, suite, pinned, *_ in rows('versions', 5):
        end = SUPPORTED_UNTIL.get(suite)
        if not end or today > end:
            yield package, f'comes from {suite}, which has no regular security support' + (f' since {end}' if end else
                                                                                           ''), None
        if suite in unknown:
            yield package, f'may be outdated: the lists of {suite} and {suite}-security cannot be had', None
        elif package not in newest:
            yield package, f'is not listed by {suite}', None
        elif newer(newest[package], pinned):
            yield package, f'{pinned} is outdated: {suite} has {newest[package]}', None
        taken = used.get(package, pinned)
        if taken != pinned:
            yield (package, f'{taken} is used in place of {pinned}, which cannot be fetched',
                   instead.get((package, pinned, taken)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--strict', action='store_true')
    parser.add_argument('--unknown')
    parser.add_argument('--accepted')
    parser.add_argument('versions')
    options = parser.parse_args()
    override = ' '.join(os.environ.get('OUTDATED', '').split())
    unknown = set()
    if options.unknown:
        with open(options.unknown, encoding='ascii') as file:
            unknown = set(file.read().split())

    accepted, refused = {}, 0
    for package, what, reason in faults(*read_versions(options.versions), unknown, datetime.date.today()):
        reason = None if options.strict else reason or override
        print(f'{"WARNING" if reason else "OUTDATED"} {package} {what}' + (f': {reason}' if reason else ''),
              file=sys.stderr)
        if reason:
            accepted.setdefault(package, []).append(f'{what}: {reason}')
        else:
            refused += 1
    if options.accepted and not refused:
        with open(options.accepted, 'w', encoding='utf-8') as file:
            json.dump({package: '; '.join(texts) for package, texts in accepted.items()}, file, sort_keys=True)
    if refused:
        print('Raise the pins in package/versions to the newest versions. To build nevertheless, give a reason, which '
              "the SBOM then has: make package OUTDATED='reason'", file=sys.stderr)
    return 1 if refused else 0


if __name__ == '__main__':
    sys.exit(main())
