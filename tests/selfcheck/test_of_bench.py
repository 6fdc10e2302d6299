"""The bench verifies what it measures: alerts that are lost, repeated or altered, a failing program, no such part."""
import importlib.util
import os
import platform
import sys

import plant
import pytest

pytestmark = pytest.mark.skipif(platform.machine() != 'x86_64', reason='the bench is for x86-64')

# Runs the program and changes what it writes: how to change line number 7 of its events.
WRAPPER = '''#!/usr/bin/python3
import signal, subprocess, sys
child = subprocess.Popen([{program!r}, *sys.argv[1:]], stdin=0, stdout=subprocess.PIPE)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
number = 0
for line in child.stdout:
    number += b'<data>' in line
    line = {change} if number == 7 and b'<data>' in line else line
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
sys.exit(child.wait() or {status})
'''
CHANGES = {'nothing': ('line', 0), 'lost': ("b''", 0), 'twice': ('line + line', 0), 'status': ('line', 3),
           'id': ("line.replace(b'<data>', b'<data>\\0').replace(b'_', b'_9').replace(b'\\0', b'')", 0),
           'no event': ("b'<event>' + b'x' * 100 + b'\\n'", 0),
           'altered': ("line.replace(b'severity', b'Severity', 1)", 0)}


@pytest.fixture(scope='module', name='bench')
def _bench():
    """The module, with its tools built."""
    plant.built('all', 'build/bench/server', 'build/bench/sink', 'build/bench/timed')
    spec = importlib.util.spec_from_file_location('bench_script', os.path.join(plant.ROOT, 'bench/bench.py'))
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    found.DEADLINE_S = 4
    return found


@pytest.fixture(scope='module', name='server')
def _server(bench):
    """A tenant with a few alerts, of which each is compared byte by byte or only counted."""
    files = bench.Files()
    with bench.Server(files, 'endpoint', 1, 62) as server:
        yield server
    files.remove()


@pytest.mark.parametrize('change', CHANGES)
def test_delivery(bench, server, tmp_path, change, capfd):
    """Whatever goes wrong ends the bench with a sentence."""
    text, status = CHANGES[change]
    program = plant.write(tmp_path, 'program', WRAPPER.format(program=os.path.join(plant.ROOT, 'bin/defender_alerts'),
                                                              change=text, status=status), 0o755)
    if change == 'altered':     # of the events that are compared as a whole
        plant.change(tmp_path, 'program', 'number == 7', "b'_0\"' in line[:200]")
    if change == 'nothing':
        assert bench.run_program(server, program)['events'] == 62
    else:
        with pytest.raises(SystemExit, match='delivery was not exact'):
            bench.run_program(server, program)
    capfd.readouterr()


def test_no_events(bench, tmp_path):
    """Nothing that was right is no delivery."""
    class Files:
        """Where the bench looks for what the program said."""
        at = staticmethod(lambda name: plant.write(tmp_path, name, ''))
    for verdict in (None, {'events': 0, 'missing': 0, 'repeated': 0, 'wrong': 0}):
        with pytest.raises(SystemExit):
            bench.need_exact(Files, verdict, 0)


def test_a_scheme_that_fails(bench, server):
    options = type('Options', (), {'files': server.files, 'program': '/bin/false', 'results': {}})
    with pytest.raises(SystemExit, match='--scheme failed'):
        bench.bench_scheme(options)


# How the stand-in of bench/floor behaves in its first runs, how many those are, and whether a run is good in the end.
FLOORS = {'good': ('exit 1', 0, True), 'fails twice': ('exit 1', 2, True), 'stalls once': ('exec sleep 9', 1, True),
          'good over HTTP/1.1 only': ('[ "$1" = --http1 ]', 99, True), 'fails': ('exit 1', 99, False)}


@pytest.mark.parametrize('bad, times, good', FLOORS.values(), ids=FLOORS)
def test_a_floor_that_spoils_a_run(bench, server, tmp_path, monkeypatch, bad, times, good):
    """The run is repeated; only if that is of no use, the bench ends with a sentence."""
    script = '#!/bin/sh\necho >>%s/runs\n[ $(wc -l <%s/runs) -gt %d ] || { %s; exit; }\n'
    plant.write(tmp_path, 'floor', script % (tmp_path, tmp_path, times, bad), 0o755)
    tools = bench.tool
    monkeypatch.setattr(bench, 'tool', lambda name: str(tmp_path / name) if name == 'floor' else tools(name))
    monkeypatch.setattr(bench, 'FLOOR_S', 2)
    monkeypatch.setattr(bench, 'FLOOR_TRIES', 3)
    if good:
        assert bench.run_floor(server, '--parallel', '1')['status'] == 0
    else:
        with pytest.raises(SystemExit, match='the floor failed 4 times'):
            bench.run_floor(server, '--parallel', '1')
    assert len(plant.read(tmp_path, 'runs')) == min(times + 1, 4)


def test_no_such_part():
    """A part that nobody knows is not left out in silence."""
    code, said = plant.run(sys.executable, 'bench/bench.py', '--scale', 'small', 'fil')
    assert code == 2 and 'there is no part fil' in said


def test_callgrind_that_sees_nothing(bench, server, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path) + ':' + os.environ['PATH'])
    plant.write(tmp_path, 'valgrind', '#!/bin/sh\necho 1000\necho ==1== Collected : 0 >&2\n', 0o755)
    with pytest.raises(SystemExit, match='callgrind saw nothing'):
        bench.callgrind(type('Options', (), {'files': server.files}))
