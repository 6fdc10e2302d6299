// The page around the dashboard, as Splunk Web would have it: a theme, the shipped definition, the Enterprise preset.
import React from 'react';
import { createRoot } from 'react-dom/client';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import DashboardCore from '@splunk/dashboard-core';
import { DashboardContextProvider } from '@splunk/dashboard-context';
import { createSchemaBasedOnPresets } from '@splunk/dashboard-definition';
import { DashboardValidator } from '@splunk/dashboard-validation';
import { migrateToTabsLayout } from '@splunk/dashboard-utils';
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';

// With the preset the validator knows inputs, data sources and event handlers too. It knows only the newer layout; a
// definition that cannot be moved to it must not count as valid.
const validator = new DashboardValidator();
validator.setSchema(createSchemaBasedOnPresets(EnterpriseViewOnlyPreset));
window.validate = (one) => {
    const moved = migrateToTabsLayout({ definition: structuredClone(one) });
    if (!moved.success || !moved.definition?.layout) return [`the layout cannot be read: ${moved.reason}`];
    return (validator.validate(moved.definition) || []).map((found) => `${found.instancePath}: ${found.message}`);
};

const theme = new URLSearchParams(window.location.search).get('theme') || 'light';
const definition = await (await fetch('/definition.json')).json();
createRoot(document.getElementById('root')).render(
    <SplunkThemeProvider family="enterprise" colorScheme={theme} density="comfortable">
        <DashboardContextProvider preset={EnterpriseViewOnlyPreset} initialDefinition={definition}>
            <DashboardCore width="100%" height="auto" />
        </DashboardContextProvider>
    </SplunkThemeProvider>,
);
