/* splunk/app.h - the names by which Splunk knows this add-on. */
#pragma once

#define SCHEME_NAME "defender_alerts"  /* the kind of input: stanzas are "defender_alerts://<name>" */
#define APP_NAME    "TA-defender-mssp" /* the app's folder, and the realm of its stored passwords */
