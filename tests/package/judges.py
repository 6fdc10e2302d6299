#!/usr/bin/env python3
"""Asks Splunk's own tools about packages: AppInspect, slim (the packaging toolkit) and ksconf.

    tests/package/judges.py PACKAGE...

No error, failure or future failure may be left. The warnings have to be exactly those that docs/testing.md lists, each
with its reason. The tools come from tools/install-tools splunk. The last line is the sum.
"""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(TOP, 'build', 'tools', 'splunk', 'bin')
PAGE = os.path.join(TOP, 'docs', 'testing.md')
TAGS = (None, 'cloud', 'private_victoria', 'private_classic')
BAD = ('error', 'failure', 'future_failure')
CHECKS_LEAST = 100      # AppInspect has about 250; far fewer are no inspection
MOST_S = 300

# kind: error, failure, future_failure or warning. what: the check's name, or the tool's sentence.
Finding = collections.namedtuple('Finding', 'tool kind what text')


class Unusable(Exception):
    """A tool that is not there, or that did not check what it was given."""


def ask(folder, name, *arguments):
    """(exit status, output) of a tool, which finds its own settings in that folder."""
    path = os.path.join(TOOLS, name)
    if not os.access(path, os.X_OK):
        raise Unusable(f'{name} is not installed: run tools/install-tools splunk')
    done = subprocess.run([path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          errors='replace', timeout=MOST_S, stdin=subprocess.DEVNULL,
                          env={**os.environ, 'HOME': folder, 'TMPDIR': folder, 'XDG_CONFIG_HOME': folder})
    return done.returncode, done.stdout


def appinspect(package, tag, folder):
    """What AppInspect finds with the checks of that tag; None: with all."""
    report = os.path.join(folder, f'{tag}.json')
    _status, said = ask(folder, 'splunk-appinspect', 'inspect', package, '--mode', 'precert', '--ci', '--data-format',
                        'json', '--output-file', report, *(('--included-tags', tag) if tag else ()))
    try:
        with open(report, encoding='utf-8') as file:
            found = json.load(file)
    except (OSError, ValueError):
        raise Unusable(f'AppInspect wrote no report: {said[-2000:]}') from None
    checks = [check for one in found['reports'] for group in one['groups'] for check in group['checks']]
    if len(checks) < CHECKS_LEAST:
        raise Unusable(f'AppInspect made {len(checks)} checks only')
    for check in checks:
        if check['result'] in (*BAD, 'warning'):
            texts = [message['message'] for message in check['messages']
                     if message['result'] in (*BAD, 'warning')] or ['']
            yield from (Finding('AppInspect', check['result'], check['name'], text) for text in texts)


def slim(package, folder):
    """What slim finds. It exits with 0 although it warns."""
    status, said = ask(folder, 'slim', 'validate', package)
    for line in said.splitlines():
        match = re.search(r'\[(WARNING|ERROR|FATAL)\] (.*)', line)
        if match:
            text = match[2].partition(', line ')[2] or match[2]
            kind = 'warning' if match[1] == 'WARNING' else 'error'
            yield Finding('slim', kind, re.sub(r'^\d+: ', '', text), line)
    if status or 'App validation complete' not in said:
        yield Finding('slim', 'error', 'validation did not complete', said[-2000:])


def ksconf(package, folder):
    """What ksconf cannot read."""
    with tarfile.open(package) as archive:
        names = [member for member in archive.getmembers()
                 if member.isfile() and member.name.endswith(('.conf', '.meta'))]
        archive.extractall(folder, names)
    if not names:
        raise Unusable('the package has no conf file')
    status, said = ask(folder, 'ksconf', 'check', *(os.path.join(folder, member.name) for member in names))
    if f'{len(names)} files were parsed successfully' not in said or status:
        yield Finding('ksconf', 'error', 'a file cannot be read', said[-2000:])


def findings(package, tags=TAGS):
    """All tools' findings, each once."""
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        jobs = []
        for number, (judge, *more) in enumerate([*((appinspect, tag) for tag in tags), (slim,), (ksconf,)]):
            room = os.path.join(folder, str(number))
            os.mkdir(room)
            jobs.append(pool.submit(lambda judge=judge, more=more, room=room: list(judge(package, *more, room))))
        return list(dict.fromkeys(finding for job in jobs for finding in job.result()))


def has_program(package):
    """True for a package with the program."""
    with tarfile.open(package) as archive:
        return any(name.endswith('/bin/defender_alerts') for name in archive.getnames())


def table(title):
    """The rows of the table under that heading of docs/testing.md."""
    with open(PAGE, encoding='utf-8') as file:
        text = file.read().partition(f'\n## {title}\n')[2].partition('\n## ')[0]
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line.startswith('|')]
    if len(rows) < 3:
        raise Unusable(f'docs/testing.md has no table under {title}')
    return rows[2:]


def accepted(with_program):
    """(tool, what) of the warnings that such a package may have, and must have: each row is for one warning."""
    packages = ('forwarder', 'both') if with_program else ('search head', 'both')
    return collections.Counter((tool, what.strip('`')) for tool, package, what, reason
                               in table("Warnings of Splunk's tools") if package in packages and reason)


def complaints(found, listed):
    """One sentence for each finding that may not be, and each warning that is listed in vain."""
    yield from (f'{one.tool} {one.kind}: {one.what}: {one.text}' for one in found if one.kind in BAD)
    for one in found:
        if one.kind == 'warning':
            listed[one.tool, one.what] -= 1
            if listed[one.tool, one.what] < 0:
                yield f'{one.tool} warns: {one.what}: {one.text}'
    yield from (f'{tool} does not warn of this any more, so docs/testing.md must not list it: {what}'
                for (tool, what), left in listed.items() if left > 0)


def main():
    """See the top."""
    failed = 0
    for package in sys.argv[1:]:
        try:
            wrong = list(complaints(findings(package), accepted(has_program(package))))
        except Unusable as error:
            wrong = [str(error)]
        print(f'{os.path.basename(package)}: {"as it should be" if not wrong else ""}', *wrong, sep='\n  ')
        failed += bool(wrong)
    print(f'{len(sys.argv) - 1 - failed} passed, {failed} failed')
    return 1 if failed or len(sys.argv) < 2 else 0


if __name__ == '__main__':
    sys.exit(main())
