// Holds a definition against Splunk's own schemas: panels and their options, data sources, layout.
// usage: node validate.mjs DEFINITION.json; prints a list of complaints as JSON.
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
console.warn = () => {}; // ajv complains about Splunk's own schemas
const plain = (module) => module.default || module;
const folder = (name) => dirname(require.resolve(`${name}/package.json`));

const configs = readdirSync(folder('@splunk/visualizations')).filter((entry) => entry.endsWith('.config.js'))
    .map((file) => plain(require(join(folder('@splunk/visualizations'), file))));
const { DashboardValidator } = require('@splunk/dashboard-validation');
const { createSchemaBasedOnDicts } = require('@splunk/dashboard-definition');
const { migrateToTabsLayout } = require('@splunk/dashboard-utils');

let definition = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const complaints = [];

// What the validator does not look at: names of options.
const known = Object.fromEntries(configs.map((config) => [config.key, config]));
for (const [id, panel] of Object.entries(definition.visualizations)) {
    const config = known[panel.type];
    if (!config) complaints.push(`${id}: no panel type ${panel.type}`);
    for (const option of Object.keys(config?.optionsSchema && panel.options || {}))
        if (!(option in config.optionsSchema)) complaints.push(`${id}: ${panel.type} has no option ${option}`);
    const contract = config?.dataContract;
    const bindings = [...(contract?.requiredDataSources || []), ...(contract?.optionalDataSources || [])];
    for (const binding of Object.keys(panel.dataSources || {}))
        if (!bindings.some((one) => one.name === binding)) complaints.push(`${id}: no binding ${binding}`);
}

// The shipped file has the layout that older versions know too; the validator knows the newer one only.
definition = migrateToTabsLayout(definition);
const schemas = Object.fromEntries(configs.map((config) => [config.key, config.optionsSchema]));
const validator = new DashboardValidator();
validator.setSchema(createSchemaBasedOnDicts({ visualizationDict: schemas }));
for (const one of validator.validate(definition) || []) complaints.push(`${one.instancePath}: ${one.message}`);
console.log(JSON.stringify(complaints));
