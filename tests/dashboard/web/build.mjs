// Bundles page.jsx into the folder given as argument.
import { build } from 'esbuild';

await build({
    entryPoints: ['page.jsx'],
    outdir: process.argv[2],
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.svg': 'dataurl', '.png': 'dataurl', '.gif': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl' },
    logLevel: 'error',
});
