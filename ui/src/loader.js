// Brings the page into the classic dashboard. Splunk Web loads this file as `script` of the dashboard, as dashboard.js
// of the app, or as both, depending on its version: the first one wins. It may be run by eval, so it assumes nothing.
(function load() {
    var config = window.$C || {};
    var script;
    if (window.defenderCustomersInDashboard || !/\/defender_mssp_manage\/?$/.test(window.location.pathname)) return;
    window.defenderCustomersInDashboard = true;
    script = document.createElement('script');
    // The hash of the bundle: no browser keeps an old one.
    script.src =
        (config.MRSPARKLE_ROOT_PATH || '').replace(/\/$/, '') +
        '/' +
        (config.LOCALE || 'en-US') +
        '/static/app/TA-defender-mssp/pages/defender_mssp_manage_app.js?v=' +
        PAGE_HASH;
    document.head.appendChild(script);
})();
