// How everything looks: one sheet for the page and for its dialogs, which are outside of it. Colors and fonts are those
// of Splunk's theme; the tones are our own, with a contrast of at least 4.5 : 1 on both themes.
import styled, { css } from 'styled-components';
import { pick, variables } from '@splunk/themes';

const tones = pick({
    light: css`
        --act: #a8201a;
        --watch: #855000;
        --wait: #0a5f8f;
        --well: #276527;
        --off: #4d5761;
        --accent: #006eaa;
        --mark: #fff3d6;
        --line: #d6d6d6;
    `,
    dark: css`
        --act: #ff9c92;
        --watch: #f8be34;
        --wait: #74c8ff;
        --well: #8bd48b;
        --off: #c3cbd4;
        --accent: #4db8ff;
        --mark: #4a3f20;
        --line: #404547;
    `,
});

const parts = css`
    ${tones}
    font-family: ${variables.fontFamily};
    font-size: 14px;
    line-height: 20px;
    color: ${variables.contentColorActive};
    *,
    *::before,
    *::after {
        box-sizing: border-box;
    }
    h1 {
        font-size: 20px;
        line-height: 28px;
        margin: 0;
        font-weight: 600;
    }
    h2 {
        font-size: 16px;
        line-height: 24px;
        margin: 16px 0 8px;
        font-weight: 600;
    }
    h3 {
        font-size: 14px;
        margin: 12px 0 4px;
        font-weight: 600;
    }
    p {
        margin: 8px 0;
    }
    a {
        color: var(--accent);
        text-decoration: underline;
    }
    code,
    .dc-mono {
        font-family: ${variables.monoFontFamily};
        font-size: 12px;
        overflow-wrap: anywhere;
    }
    .dc-sr {
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
        white-space: nowrap;
    }
    [role='alert'],
    [role='alert'] * {
        min-width: 0;
        overflow-wrap: anywhere; /* an address in a refusal */
    }
    .dc-plain {
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        padding: 0;
        margin: 0;
        cursor: pointer;
        text-align: left;
        height: auto;
        width: auto;
    }
    .dc-plain:disabled {
        cursor: default;
    }
    :focus-visible {
        outline: 2px solid var(--accent);
        outline-offset: 2px;
    }
    .dc-tone-act {
        color: var(--act);
    }
    .dc-tone-watch {
        color: var(--watch);
    }
    .dc-tone-wait {
        color: var(--wait);
    }
    .dc-tone-well {
        color: var(--well);
    }
    .dc-tone-off {
        color: var(--off);
    }
    .dc-row {
        display: flex;
        gap: 8px;
        align-items: center;
        flex-wrap: wrap;
    }
    .dc-spread {
        justify-content: space-between;
    }
    .dc-row label {
        margin: 0;
    }
    .dc-row > button {
        flex: none;
    }
    .dc-note {
        color: ${variables.contentColorDefault};
        font-size: 12px;
        line-height: 16px;
    }
    .dc-box {
        width: 100%;
        height: 32px;
        padding: 4px 8px;
        border: 1px solid ${variables.interactiveColorBorder};
        border-radius: 3px;
        margin: 0;
        background: ${variables.backgroundColorSection};
        color: ${variables.contentColorActive};
        font: inherit;
        box-shadow: none;
        max-width: none;
    }
    textarea.dc-box {
        height: 120px;
        font-family: ${variables.monoFontFamily};
        font-size: 12px;
        resize: vertical;
    }
    .dc-box[aria-invalid='true'] {
        border: 2px solid var(--act);
    }
    .dc-field {
        margin: 0 0 12px;
    }
    .dc-field > label,
    fieldset > legend {
        display: block;
        font-weight: 600;
        margin: 0 0 4px;
        font-size: 14px;
        line-height: 20px;
        color: inherit;
        border: 0;
        padding: 0;
        width: auto;
    }
    .dc-field .dc-wrong {
        color: var(--act);
        font-size: 12px;
        line-height: 16px;
        margin: 4px 0 0;
    }
    fieldset {
        border: 0;
        padding: 0;
        margin: 0 0 12px;
        min-width: 0;
    }
    fieldset label {
        display: inline-flex;
        gap: 6px;
        align-items: center;
        margin-right: 16px;
        font-weight: 400;
    }
    input[type='radio'],
    input[type='checkbox'] {
        margin: 0;
        width: 16px;
        height: 16px;
    }
    details > summary {
        cursor: pointer;
        font-weight: 600;
        margin: 8px 0;
    }
    .dc-pair {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 0 16px;
    }
    .dc-bar {
        height: 8px;
        background: var(--line);
        border-radius: 4px;
        overflow: hidden;
        margin: 8px 0;
    }
    .dc-bar > div {
        height: 100%;
        background: var(--accent);
    }
    .dc-clip {
        white-space: nowrap;
        overflow: hidden;
        text-overflow: ellipsis;
    }
    table {
        border-collapse: collapse;
        width: 100%;
        margin: 0;
        background: none;
    }
    th,
    td {
        text-align: left;
        padding: 5px 8px;
        border-bottom: 1px solid var(--line);
        vertical-align: middle;
        background: none;
        color: inherit;
    }
    th {
        font-weight: 600;
        font-size: 12px;
        line-height: 16px;
    }
    .dc-scroll {
        overflow: auto;
        max-height: 320px;
        border: 1px solid var(--line);
    }
    .dc-steps {
        padding-left: 24px;
        margin: 8px 0;
    }
    .dc-steps li {
        margin: 8px 0;
    }
`;

export const Frame = styled.div`
    ${parts}
    position: relative;
    background: ${variables.backgroundColorPage};
    padding: 16px 20px 40px;
    min-height: 80vh;
    .dc-head {
        display: grid;
        gap: 12px;
        margin-bottom: 12px;
    }
    .dc-chip {
        border: 1px solid ${variables.interactiveColorBorder};
        border-radius: 14px;
        padding: 3px 12px;
        cursor: pointer;
        font: inherit;
        background: ${variables.backgroundColorSection};
        color: ${variables.contentColorActive};
        height: 28px;
        line-height: 20px;
    }
    .dc-chip[aria-pressed='true'] {
        outline: 2px solid var(--accent);
    }
    .dc-chip b {
        font-weight: 600;
    }
    .dc-search {
        width: 320px;
    }
    .dc-card {
        background: ${variables.backgroundColorSection};
        border: 1px solid var(--line);
        border-radius: 4px;
        padding: 20px 24px;
        max-width: 820px;
    }
    .dc-picked {
        background: var(--mark);
        padding: 8px 12px;
        border-radius: 4px;
        margin-bottom: 8px;
    }
    .dc-table {
        position: relative; /* holds what only screen readers see, which would widen the page */
        overflow-x: auto;
        background: ${variables.backgroundColorSection};
        border: 1px solid var(--line);
    }
    .dc-table > table {
        table-layout: fixed;
        min-width: 1240px;
    }
    .dc-table tr.dc-open > td {
        border-bottom: 0;
    }
    .dc-table tbody tr:hover:not(.dc-inner) {
        background: ${variables.backgroundColorHover};
    }
    .dc-table tr.dc-new {
        background: var(--mark);
    }
    .dc-table td {
        height: 40px;
    }
    .dc-table .dc-inner > td {
        padding: 4px 24px 20px 72px;
    }
    .dc-sort {
        font-weight: 600;
        font-size: 12px;
        white-space: nowrap;
    }
    .dc-facts {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 4px 16px;
        margin: 8px 0;
    }
    .dc-facts dt {
        font-weight: 600;
    }
    .dc-facts dd {
        margin: 0;
        overflow-wrap: anywhere;
    }
    .dc-switch {
        width: 40px;
        height: 20px;
        border-radius: 10px;
        border: 1px solid ${variables.interactiveColorBorder};
        background: var(--line);
        position: relative;
        cursor: pointer;
        padding: 0;
        display: block;
    }
    .dc-switch::after {
        content: '';
        position: absolute;
        width: 14px;
        height: 14px;
        left: 3px;
        top: 2px;
        border-radius: 7px;
        background: ${variables.contentColorActive};
    }
    .dc-switch[aria-checked='true'] {
        background: var(--well);
    }
    .dc-switch[aria-checked='true']::after {
        left: 21px;
        background: ${variables.backgroundColorSection};
    }
    .dc-switch:disabled {
        opacity: 0.6;
        cursor: default;
    }
    .dc-more {
        width: 28px;
        height: 28px;
        text-align: center;
        font-size: 18px;
        line-height: 20px;
    }
    .dc-menu {
        position: fixed;
        z-index: 100;
        background: ${variables.backgroundColorPopup};
        border: 1px solid ${variables.interactiveColorBorder};
        border-radius: 4px;
        box-shadow: 0 4px 12px rgba(0, 0, 0, 0.35);
        min-width: 190px;
        padding: 4px 0;
    }
    .dc-menu button {
        display: block;
        width: 100%;
        padding: 6px 16px;
    }
    .dc-menu button:hover,
    .dc-menu button:focus {
        background: ${variables.backgroundColorHover};
    }
    pre {
        font-family: ${variables.monoFontFamily};
        font-size: 11px;
        line-height: 16px;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        background: ${variables.backgroundColorPage};
        color: ${variables.contentColorActive};
        border: 1px solid var(--line);
        padding: 8px;
        max-height: 240px;
        overflow: auto;
        margin: 8px 0;
    }
`;

export const Sheet = styled.div`
    ${parts}
`;
