// The boxes of the form, drawn from the table of parameters (ui/params.json).
import React, { useState } from 'react';
import { Field, SecretBox } from './Bits.jsx';
import { FIRST, INSTEAD, WAYS, rareParams } from '../model/form.mjs';

const PLAIN = { autoComplete: 'off', spellCheck: 'false', autoCapitalize: 'off' };

// A value that may hold a password is left to the browser, as secrets are: it never becomes an attribute of the page.
function Box({ param, form }) {
    const { values, problems, change, secretRef, touch } = form;
    const about = {
        id: param.name,
        label: param.title,
        hint: param.hint || param.help,
        wrong: problems[param.name],
        required: param.required,
    };
    if (param.choices)
        return (
            <Field {...about}>
                <select
                    className="dc-box"
                    value={values[param.name]}
                    onChange={(event) => change(param.name, event.target.value)}
                >
                    {param.choices.map(({ value, label }) => (
                        <option key={value} value={value}>
                            {label}
                        </option>
                    ))}
                </select>
            </Field>
        );
    if (param.secret)
        return (
            <Field {...about}>
                <SecretBox ref={secretRef(param.name)} onInput={() => touch(param.name)} />
            </Field>
        );
    if (param.type === 'proxy')
        return (
            <>
                <Field {...about}>
                    <input
                        className="dc-box"
                        {...PLAIN}
                        ref={secretRef(param.name)}
                        defaultValue=""
                        placeholder={values.proxy ? `${values.proxy} (leave empty to keep it)` : ''}
                        onInput={() => touch(param.name)}
                    />
                </Field>
                {values.proxy && (
                    <button
                        type="button"
                        className="dc-plain"
                        style={{ textDecoration: 'underline' }}
                        onClick={() => change(param.name, '')}
                    >
                        Remove the proxy
                    </button>
                )}
            </>
        );
    return (
        <Field {...about}>
            <input
                className="dc-box"
                {...PLAIN}
                value={values[param.name]}
                onChange={(event) => change(param.name, event.target.value)}
            />
        </Field>
    );
}

function Way({ form }) {
    return (
        <fieldset data-test="way">
            <legend>Sign in with</legend>
            {Object.entries(WAYS).map(([key, label]) => (
                <label key={key}>
                    <input
                        type="radio"
                        name="way"
                        value={key}
                        checked={form.way === key}
                        onChange={() => form.setWay(key)}
                    />{' '}
                    {label}
                </label>
            ))}
        </fieldset>
    );
}

export default function Fields({ params, own, groups, form, isNew, stored }) {
    const find = (name) => [...params, ...own].find((one) => one.name === name);
    const rare = rareParams(params);
    const secret = find('client_secret');
    const rest = own.filter((one) => !FIRST.includes(one.name));
    const [more, setMore] = useState(false);
    const rareWrong = [...rare, ...rest].some((one) => form.problems[one.name]);
    return (
        <>
            {isNew && (
                <Field
                    id="name"
                    label="Name"
                    required
                    wrong={form.problems.name}
                    hint="Any name that tells you who the customer is. It cannot be changed later: events have it."
                >
                    <input
                        className="dc-box"
                        {...PLAIN}
                        value={form.name}
                        onChange={(event) => form.setName(event.target.value)}
                    />
                </Field>
            )}
            <Box param={find('tenant_id')} form={form} />
            <Box param={find('client_id')} form={form} />
            <Way form={form} />
            {!INSTEAD[form.way] ? (
                <Box
                    param={{
                        ...secret,
                        hint: stored
                            ? 'Stored; leave empty to keep it.'
                            : `${secret.hint} Leave it empty if another customer has this client ID: they share it.`,
                    }}
                    form={form}
                />
            ) : (
                <Box param={{ ...find(INSTEAD[form.way]), required: true }} form={form} />
            )}
            {form.way === 'user' && <Box param={find('redirect_uri')} form={form} />}
            <div className="dc-pair">
                {FIRST.slice(2).map((name) => (
                    <Box key={name} param={find(name)} form={form} />
                ))}
            </div>
            <details open={more || rareWrong} onToggle={(event) => setMore(event.currentTarget.open)} data-test="more">
                {/* The frame of dialogs leads Tab to what has a tabIndex and is visible by its own style. */}
                <summary tabIndex={0}>More settings</summary>
                <div style={{ visibility: more || rareWrong ? 'visible' : 'hidden' }}>
                    {groups
                        .filter(({ name }) => rare.some((one) => one.group === name))
                        .map(({ name, title, help }) => (
                            <section key={name}>
                                <h3>{title}</h3>
                                {help && <p className="dc-note">{help}</p>}
                                {rare
                                    .filter((one) => one.group === name)
                                    .map((param) => (
                                        <Box key={param.name} param={param} form={form} />
                                    ))}
                            </section>
                        ))}
                    {rest.map((param) => (
                        <Box key={param.name} param={param} form={form} />
                    ))}
                    {form.way === 'user' && <Box param={find('refresh_token')} form={form} />}
                </div>
            </details>
        </>
    );
}
