// Checks dashboard definitions with Splunk's own validator and parsers, without a browser.
// usage: node check.mjs FILE. FILE has an object of definitions by name; prints the complaints about each as JSON.
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const print = console.log;
console.log = console.warn = console.error = () => {};      // the packages complain about their own schemas
const load = (name) => { const found = require(name); return found.default || found; };

const { DashboardValidator } = require('@splunk/dashboard-validation');
const { createSchemaBasedOnDicts } = require('@splunk/dashboard-definition');
const { migrateToTabsLayout, asyncJsonataEvaluation } = require('@splunk/dashboard-utils');
const { DslParser } = require('@splunk/visualization-encoding/DslParser');

const panels = dirname(require.resolve('@splunk/visualizations/package.json'));
const configs = Object.fromEntries(readdirSync(panels).filter((file) => file.endsWith('.config.js'))
    .map((file) => load(join(panels, file))).map((config) => [config.key, config]));
const searchOptions = Object.keys(load('@splunk/datasources/SplunkSearchOptionsSchema'));
const sourceOptions = { 'ds.search': searchOptions, 'ds.chain': ['query', 'extend', 'enableSmartSources'] };
const handlers = Object.keys(load('@splunk/dashboard-presets/EventHandlerPresets').eventHandlers);

// The methods of dynamic options: Splunk's formatters, and what frames, series and points of data can do.
const encoding = (name) => require(`@splunk/visualization-encoding/${name}`)[name];
const methods = new Set([
    ...Object.keys(require('@splunk/visualization-encoding/FormatterPresets').formatterClasses),
    ...['DataFrame', 'DataSeries', 'DataPoint'].flatMap((name) => Object.getOwnPropertyNames(encoding(name).prototype)),
]);

const validator = new DashboardValidator();
validator.setSchema(createSchemaBasedOnDicts({
    visualizationDict: Object.fromEntries(Object.entries(configs).map(([key, config]) => [key, config.optionsSchema])),
}));

// Splunk's schemas: structure, and types of the panels' options. The shipped layout is the one that older versions know
// too; the validator knows the newer one. A definition that cannot be moved to it must not count as valid.
function* schemas(definition) {
    const moved = migrateToTabsLayout({ definition: structuredClone(definition) });
    if (!moved.success || !moved.definition?.layout) return yield `the layout cannot be read: ${moved.reason}`;
    for (const one of validator.validate(moved.definition) || []) yield `${one.instancePath}: ${one.message}`;
}

function* source(id, type, options = {}) {
    const known = sourceOptions[type];
    if (!known) return yield `${id}: no data source type ${type}`;
    for (const name of Object.keys(options)) if (!known.includes(name)) yield `${id}: ${type} has no option ${name}`;
    if (options.refresh !== undefined && !/^(\d+(ms|s|m|h|d)?|\$[^$]+\$)$/.test(options.refresh))
        yield `${id}: refresh cannot be ${options.refresh}`;
    if (options.refreshType !== undefined && !['delay', 'interval'].includes(options.refreshType))
        yield `${id}: refreshType cannot be ${options.refreshType}`;
}

function* sources(definition) {
    for (const [id, { type, options }] of Object.entries(definition.dataSources || {}))
        yield* source(id, type, options);
    for (const [type, { options }] of Object.entries(definition.defaults?.dataSources || {}))
        if (type !== 'global') yield* source('defaults', type, options);
}

async function* conditions(definition) {
    const known = definition.expressions?.conditions || {};
    for (const [id, { value }] of Object.entries(known)) {
        const answer = await asyncJsonataEvaluation({ expression: value, tokens: {} });
        if (!answer.success) yield `condition ${id}: ${answer.reason}`;
    }
    for (const [id, panel] of Object.entries(definition.visualizations || {})) {
        const { showConditions = [], hideConditions = [] } = panel.containerOptions?.visibility || {};
        for (const name of [...showConditions, ...hideConditions])
            if (!known[name]) yield `${id}: no condition ${name}`;
    }
}

function* texts(value) {
    if (typeof value === 'string') yield value;
    else if (value && typeof value === 'object') for (const part of Object.values(value)) yield* texts(part);
}

// What a dynamic option says after its '>': a pipeline of methods.
function unreadable(text) {
    let steps;
    try { steps = DslParser.parse(text.slice(1).trim()); } catch { return `${text} cannot be parsed`; }
    const wrong = steps.find((step) => step.type === 'method' && !methods.has(step.name));
    return wrong && `no method ${wrong.name} in ${text}`;
}

function* parts(definition) {
    for (const [id, part] of Object.entries({ ...definition.visualizations, ...definition.inputs })) {
        const schema = configs[part.type]?.optionsSchema;
        for (const name of Object.keys(schema && part.options || {}))
            if (!schema[name]) yield `${id}: ${part.type} has no option ${name}`;
        for (const { type } of part.eventHandlers || [])
            if (!handlers.includes(type)) yield `${id}: no event handler ${type}`;
        for (const text of texts([part.options, part.context])) {
            const wrong = text.startsWith('>') && unreadable(text);
            if (wrong) yield `${id}: ${wrong}`;
        }
    }
}

async function complaints(definition) {
    const found = [];
    for (const check of [schemas, sources, conditions, parts])
        for await (const one of check(definition)) found.push(one);
    return found;
}

const definitions = Object.entries(JSON.parse(readFileSync(process.argv[2], 'utf8')));
if (!definitions.length) throw new Error('no definition to check');
const answers = {};
for (const [name, definition] of definitions) answers[name] = await complaints(definition);
print(JSON.stringify(answers));
