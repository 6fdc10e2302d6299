#!/usr/bin/python3
"""Tells which states, transitions, answers, retries and branches of the window planner the simulator's worlds reached.

usage: tests/sim/reached.py [--forget | --tell] OUT

The objects of SIM_COUNTED (Makefile) count how often each line and branch runs (gcov). OUT is the folder of the build.
--forget: deletes what was counted. Otherwise prints the table. The exit status is 1 if something was never reached that
tests/sim/unreached does not name with a reason, or if a row there names a line that is gone. --tell: the exit status is
0, since the run was short.
"""
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXCUSES = os.path.join(ROOT, 'tests', 'sim', 'unreached')

# What the table shows: a heading, the file, and which of its lines.
TABLE = [
    ('worker: states', 'collect/worker.c', r'case WORKER_[A-Z]+:'),
    ('worker: transitions', 'collect/worker.c', r'->state = WORKER_|case NEXT_'),
    ('opening of an input: states', 'collect/opening.c', r'case OPENING_|->state = OPENING_'),
    ('credentials: states and transitions', 'auth/token_source_next.c', r'case (ON|SOURCE)_|SOURCE_[A-Z]+, DO_'),
    ('answers', 'collect/classify.c', r'\bANSWER_[A-Z_]+'),
    ('what follows an answer', 'collect/worker_answer.c', r'\bNEXT_[A-Z_]+|SUSPICION_[A-Z]+;'),
    ('windows that are set aside', 'collect/worker_isolate.c', r'\bNEXT_[A-Z_]+|SUSPICION_[A-Z]+;'),
    ('retries', 'collect/worker_retry.c', r'\bNEXT_[A-Z_]+|^    return'),
    ('window planner', 'state/windows.c', r'^ +return|->width = |->since = |active = '),
    ('pages in order', 'state/keyset.c', r'^ +return'),
    ('quarantine', 'state/quarantine.c', r'\b(QUARANTINED|SEARCH|QUARANTINE)_[A-Z_]+[;,)]'),
]


# Every branch of these has to be reached; of the others, the table tells how many were.
COMPLETE = ['auth/token_source_next.c', 'collect/classify.c', 'collect/worker.c', 'collect/worker_answer.c',
            'collect/worker_isolate.c', 'collect/worker_retry.c', 'state/windows.c']


class Source:
    """A file with the counts of its lines and branches."""

    def __init__(self, name):
        self.name, self.lines, self.branches, self.functions = name, {}, {}, {}
        with open(os.path.join(ROOT, 'src', name), encoding='utf-8') as file:
            self.text = file.read().split('\n')

    def add(self, line):
        """Adds what gcov says of a line; a line may belong to several functions."""
        number = line['line_number']
        self.lines[number] = self.lines.get(number, 0) + line['count']
        self.functions[number] = line.get('function_name', '')
        for i, branch in enumerate(line['branches']):
            key = (number, line.get('function_name'), i)
            self.branches[key] = self.branches.get(key, 0) + branch['count']

    def at(self, number):
        """The text of a line."""
        return self.text[number - 1].strip()


def counted(out):
    """Reads the counts of all objects."""
    sources = {}
    for data in sorted(glob.glob(os.path.join(ROOT, out, 'sim/counted/**/*.gcda'), recursive=True)):
        said = subprocess.run(['gcov', '--json-format', '--stdout', '-b', data], cwd=os.path.dirname(data), check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        for file in json.loads(said)['files']:
            name = os.path.relpath(os.path.join(ROOT, file['file']), os.path.join(ROOT, 'src'))
            if not name.endswith('.c'):
                continue
            source = sources.setdefault(name, Source(name))
            for line in file['lines']:
                source.add(line)
    return sources


def excuses():
    """Rows of `file | text of the line | reason`, or `file function | ...`, as {(file, text): functions}."""
    rows = {}
    with open(EXCUSES, encoding='utf-8') as file:
        for row in file.read().split('\n'):
            if row and not row.startswith('#'):
                place, text, _why = row.split(' | ')
                name, _, function = place.strip().partition(' ')
                rows.setdefault((name, text.strip()), []).append(function)
    return rows


def missing_of(source):
    """The lines that never ran, and those of which one branch never did, as {(function, text): what}."""
    missing = {}
    for number, count in sorted(source.lines.items()):
        if not count:
            missing.setdefault((source.functions[number], source.at(number)), f'{number}: never')
    for (number, function, _i), count in sorted(source.branches.items()):
        if not count and source.lines[number] and not source.at(number).startswith('switch ('):  # each case has a line
            missing.setdefault((function, source.at(number)), f'{number}: always the same')
    return missing


def is_excused(excused, name, function, text):
    """A row without a function excuses the line wherever the file has it."""
    return any(allowed in ('', function) for allowed in excused.get((name, text), []))


def print_table(sources):
    """Prints each row of TABLE with its count."""
    for heading, name, pattern in TABLE:
        source = sources.get(name)
        print(f'{heading} ({name})')
        for number, count in sorted(source.lines.items() if source else []):
            if re.search(pattern, source.text[number - 1]):
                print(f'{count:12} {source.at(number)[:100]}')


def tell_gone(source, excused):
    """Tells which rows name a line that the file, or the function, has no more. Returns their number."""
    gone = 0
    for (file, text), functions in excused.items():
        found = [number for number, line in enumerate(source.text, 1) if line.strip() == text]
        for function in functions if file == source.name else []:
            if not found or (function and function not in [source.functions.get(number) for number in found]):
                where = f' in {function}()' if function else ''
                print(f'tests/sim/unreached: {file} has no line "{text}" any more{where}')
                gone += 1
    return gone


def main():
    out = sys.argv[-1]
    if '--forget' in sys.argv:
        for data in glob.glob(os.path.join(ROOT, out, 'sim/counted/**/*.gcda'), recursive=True):
            os.remove(data)
        return 0
    sources, excused, failed = counted(out), excuses(), 0
    print_table(sources)
    if not sources:
        print('nothing was counted')
        return 1
    print('\nbranches')
    for name, source in sorted(sources.items()):
        reached = sum(count > 0 for count in source.branches.values())
        print(f'{reached:8} of {len(source.branches):4} {name}')
        missing = missing_of(source) if name in COMPLETE else {}
        for (function, text), what in missing.items():
            if not is_excused(excused, name, function, text):
                print(f'NEVER REACHED: {name}:{what}: {function}(): {text}')
                failed += 1
        failed += tell_gone(source, excused)
    print(f'{failed} never reached')
    return failed != 0 and '--tell' not in sys.argv


if __name__ == '__main__':
    sys.exit(main())
