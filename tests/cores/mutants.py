#!/usr/bin/python3
"""Breaks the promises of the forwarders' agreement on purpose, one at a time, and sees whether the seeds find each.

usage: tests/cores/mutants.py [--seeds N] [NAME ...]

A mutant is one change of one file of src/share, or a way in which the simulator's store or readers fail. No source is
changed: the file is compiled apart and linked with the objects of `make cores-build`. A mutant whose text is not found
any more fails. The last line is "N passed, N failed"; a mutant that no seed finds has failed.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(ROOT, 'build', 'plain')

# name, file, old text, new text
MUTANTS = [
    ('no_wait', 'core_state', 'int64_t reads_ms = own->seen_ms + SHARE_WAIT_MS;', 'int64_t reads_ms = own->seen_ms;'),
    ('no_fence', 'core_follow', 'return now_ms - core->confirmed_ms < SHARE_FENCE_MS;',
     'return core->confirmed_ms != LONG_AGO_MS && now_ms;'),
    ('no_since', 'core_follow', 'if (mine && strcmp(input->since, entry->since) != 0)',
     'if (mine && !input->since[0])'),
    ('no_own_heartbeat', 'core', 'if (!shown.own_beat) {', 'if (false) {'),
    ('confirmed_at_the_end', 'core', 'core->shown_ms = shown.began_ms;', 'core->shown_ms = now_ms;'),
    ('since_kept_when_moved', 'table_plan', 'bool kept = plan->old[i] && plan->before[i] == plan->owner[i];',
     'bool kept = plan->old[i] != NULL;'),
    ('a_freeze_counts_as_alone', 'core_follow', 'since_ms < SHARE_FENCE_MS &&', 'true &&'),
    ('nobody_dies', 'core_peers', 'peer->silent_ms >= SHARE_SILENCE_MS && !peer->dead', 'false'),
    ('death_waits_for_the_minute', 'core', 'urgent = core->table.bodyless || core_is_urgent(core, &next);',
     'urgent = !core->table.number;'),
    ('shares_not_equal', 'table_plan', '    make_equal(&plan);\n', ''),
    ('orphans_stay', 'table_plan', '    give_orphans(&plan, true);\n', ''),
    ('list_of_inputs_not_read_again', 'core_peers',
     'return peer->version && !strcmp(peer->inputs_start, peer->start) && peer->inputs_version >= peer->version;',
     'return peer->inputs_start[0];'),
    ('rounds_too_often', 'core_pace', 'return core->began_ms + SHARE_ROUND_MS + longer;',
     'return core->began_ms + 4500 + longer;'),
    ('calls_not_paid_for', 'core_pace', 'core->pace.owed_ms += CALL_MS;', 'core->pace.owed_ms += 0;'),
    ('wait_begins_before_the_insert', 'core_follow', '? core->own.there_ms : now_ms',
     '? core->own.there_ms - SHARE_WAIT_MS : now_ms'),
    ('alone_for_ever', 'core_follow',
     'return !core->stops && !core_is_outside(core) && !core_is_confirmed(core, now_ms) &&',
     'return core->told_alone ||'),
]
# name, argument of --break
BREAKS = [('insert_overwrites', 'overwrites'), ('unsafe_checkpoint', 'unsafe')]


def objects(without):
    """What the simulator is linked from, but for one file of src/share."""
    found = [path for folder in ('cores', 'base') for path in glob.glob(os.path.join(OUT, folder, '*.o'))]
    share = ['names', 'record', 'table', 'table_plan'] + [os.path.basename(path)[:-2] for path in
                                                 glob.glob(os.path.join(ROOT, 'src/share/core*.c'))]
    return found + [os.path.join(OUT, 'share', f'{name}.o') for name in share if name != without]


def build(folder, file, old, new):
    """Returns the path of the broken simulator, or None if the text is not there."""
    with open(os.path.join(ROOT, 'src', 'share', f'{file}.c'), encoding='utf-8') as source:
        text = source.read()
    if text.count(old) != 1:
        return None
    path = os.path.join(folder, f'{file}.c')
    with open(path, 'w', encoding='utf-8') as broken:
        broken.write(text.replace(old, new))
    libraries = subprocess.run(['pkg-config', '--libs', 'libcjson', 'openssl'], stdout=subprocess.PIPE, text=True,
                               check=True).stdout.split()
    program = os.path.join(folder, 'cores')
    subprocess.run(['gcc', '-std=c11', '-D_GNU_SOURCE', '-O2', '-Isrc', '-pthread', '-pie', '-fPIE', '-w', '-o',
                    program, path, *objects(file), *libraries, '-lm'], cwd=ROOT, check=True)
    return program


def found(program, seeds, *more):
    """What the first seed says that finds it, or None."""
    for start in range(0, seeds, 200):
        run = subprocess.run([program, '--from', str(start), '--seeds', '200', *more], stdout=subprocess.PIPE,
                             text=True, check=False)
        for line in run.stdout.splitlines():
            if line.startswith('FAILED'):
                return line
        if run.returncode < 0:
            return f'a seed from {start} on ends with signal {-run.returncode}'
    return None


def main():
    """See the top."""
    options = argparse.ArgumentParser()
    options.add_argument('--seeds', type=int, default=4000)
    options.add_argument('names', nargs='*', metavar='NAME')
    given = options.parse_args()
    passed = failed = 0
    for name, *change in MUTANTS + BREAKS:
        if given.names and name not in given.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            if len(change) == 1:
                line = found(os.path.join(OUT, 'tests', 'cores'), given.seeds, '--break', change[0])
            else:
                program = build(folder, *change)
                line = found(program, given.seeds) if program else None
                if not program:
                    print(f'{name}: its text is not in src/share/{change[0]}.c once')
        print(f'{name}: {line or "not found"}', flush=True)
        passed, failed = passed + bool(line), failed + (not line)
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
