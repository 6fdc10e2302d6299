// Bundles the page into appserver/static, and writes what is in the bundle, with license texts, into build/page.
// usage: node build.mjs APP_FOLDER WORK_FOLDER. The same sources and packages give the same bytes.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const MOST = 400 * 1024; // bytes of the bundle, compressed
const NAME = 'defender_mssp_manage_app.js';
const [app, work] = process.argv.slice(2);
const version = readFileSync(join(app, 'VERSION'), 'utf8').trim();
const target = join(app, 'appserver/static');

const common = {
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2020',
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'error',
};
const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: ['src/main.jsx'],
    write: false,
    metafile: true,
    outdir: work,
    jsx: 'transform',
    loader: { '.js': 'jsx' },
    // RequireJS is on the page: a package that finds `define` would register there instead of here.
    define: {
        'process.env.NODE_ENV': '"production"',
        'process.env.PAGE_VERSION': JSON.stringify(version),
        global: 'window',
        define: 'undefined',
    },
});
const bundle = outputFiles.find((file) => file.path.endsWith('.js')).contents;
const hash = createHash('sha256').update(bundle).digest('hex').slice(0, 16);
const loader = await build({
    ...common,
    entryPoints: ['src/loader.js'],
    write: false,
    target: 'es5',
    define: { PAGE_HASH: JSON.stringify(hash) },
});

// The packages of which something is in the bundle.
function packageOf(input) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    return found && found[1];
}

const MIT = `
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`.trim();

function licenseText(folder, { name, license, author, contributors = [] }) {
    const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one));
    if (file) return readFileSync(join(folder, file), 'utf8').trim();
    // Its package.json names the license, but the text is not in the package.
    if (license !== 'MIT') throw new Error(`${name} (${license}) has no license text`);
    const people = [author, ...contributors].filter(Boolean).map((one) => one.name || one);
    return `MIT License\n\nCopyright (c) ${people.join(', ') || `the authors of ${name}`}\n\n${MIT}`;
}

function homeOf({ homepage, repository }) {
    const home = homepage || (repository && (repository.url || repository)) || 'NOASSERTION';
    if (/^[\w-]+\/[\w.-]+$/.test(home)) return `https://github.com/${home}`;
    return home.replace(/^git\+/, '').replace(/^git:/, 'https:');
}

const inside = Object.entries(Object.values(metafile.outputs)[0].inputs).filter(
    ([, { bytesInOutput }]) => bytesInOutput > 0,
);
const folders = [...new Set(inside.map(([input]) => packageOf(input)).filter(Boolean))].sort();
const packages = folders.map((folder) => {
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return {
        name: about.name,
        version: about.version,
        license: about.license,
        home: homeOf(about),
        text: licenseText(folder, about),
    };
});
const size = gzipSync(bundle, { level: 9 }).length;
if (size > MOST) throw new Error(`the bundle has ${size} bytes compressed; ${MOST} are the most`);

for (const folder of [join(target, 'pages'), work]) mkdirSync(folder, { recursive: true });
writeFileSync(join(target, 'pages', NAME), bundle);
for (const name of ['dashboard.js', 'defender_mssp_manage.js'])
    writeFileSync(join(target, name), loader.outputFiles[0].contents);
writeFileSync(
    join(work, 'packages.json'),
    `${JSON.stringify({ sha256: createHash('sha256').update(bundle).digest('hex'), packages }, null, 1)}\n`,
);
console.log(`page: ${packages.length} packages, ${bundle.length} bytes, ${size} compressed, ${hash}`);
