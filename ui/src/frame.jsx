// Splunk Web's own frame around a page of its template splunk_ui_app.html: the script build/api/layout.js brings the
// bars and says where the page goes. This is what @splunk/react-page does, without its parts for older templates.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { LayerStackGlobalProvider } from '@splunk/react-ui/Layer';
import { createStaticURL } from '@splunk/splunk-utils/url';

function script(address) {
    return new Promise((resolve, reject) => {
        const element = document.createElement('script');
        element.src = address;
        element.onload = resolve;
        element.onerror = () => reject(new Error(`${address} cannot be loaded`));
        document.head.appendChild(element);
    });
}

// Where the page goes. If the bars cannot be had, the page is drawn without them.
async function container(dark) {
    try {
        await script(createStaticURL(`build/api/layout${dark ? '-dark' : ''}.js`));
        return window.__splunk_layout__.create({}).getContainerElement();
    } catch {
        return document.body.appendChild(document.createElement('div'));
    }
}

export default async function drawInFrame(page, { title, dark }) {
    document.title = title;
    const place = document.createElement('div');
    (await container(dark)).appendChild(place);
    createRoot(place).render(<LayerStackGlobalProvider>{page}</LayerStackGlobalProvider>);
}
