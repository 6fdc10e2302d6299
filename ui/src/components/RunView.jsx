// How far the work on many customers is, and what failed.
import React from 'react';
import Button from '@splunk/react-ui/Button';
import Message from '@splunk/react-ui/Message';
import { plural } from '../model/words.mjs';
import { Bar } from './Bits.jsx';
import Failure from './Failure.jsx';

export default function RunView({ runner, label }) {
    const { stage, done, left, error } = runner.run;
    const failed = done.filter((one) => one.error);
    const all = done.length + left.length;
    const over = stage === 'ended' || stage === 'stopped';
    const rest = stage === 'stopped' ? `; stopped, ${left.length} not tried` : '';
    const text = `${done.length} of ${all}: ${done.length - failed.length} good, ${failed.length} failed${rest}`;
    return (
        <div data-test="run">
            <Failure error={error} retry={error && runner.resume} />
            <Bar done={done.length} all={all} label={label} />
            <div aria-live="polite" data-test="run-text">
                {over ? <Message type={failed.length || left.length ? 'warning' : 'success'}>{text}</Message> : text}
            </div>
            {stage === 'stopped' && (
                <Button label={`Go on with ${plural(left.length, 'row')}`} onClick={runner.resume} />
            )}
            {failed.length > 0 && (
                <div className="dc-scroll" tabIndex={0} role="region" aria-label="Failed rows">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">Customer</th>
                                <th scope="col">Why it failed</th>
                            </tr>
                        </thead>
                        <tbody>
                            {failed.map(({ item, error: why }) => (
                                <tr key={item.name} data-test="failed">
                                    <td>{item.name}</td>
                                    <td>{why}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
        </div>
    );
}
