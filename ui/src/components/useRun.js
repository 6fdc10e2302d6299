// Work on many customers, one after another: progress, stop, and a result for each. It pauses when the session ended or
// Splunk Web does not answer, since nothing that follows could succeed; what is left can be continued.
import { useEffect, useRef, useState } from 'react';

const NOTHING = { stage: 'idle', done: [], left: [], error: null };

export default function useRun(work) {
    const [run, setRun] = useState(NOTHING);
    const stop = useRef(false);
    const gone = useRef(false);
    useEffect(
        () => () => {
            gone.current = true;
            stop.current = true;
        },
        [],
    );

    const go = async (items, done = []) => {
        const left = [...items];
        const results = [...done];
        stop.current = false;
        const tell = (stage, error = null) =>
            !gone.current && setRun({ stage, done: [...results], left: [...left], error });
        tell('running');
        while (left.length && !stop.current) {
            try {
                await work(left[0]);
                results.push({ item: left.shift(), error: '' });
            } catch (failure) {
                if (['session', 'network', 'capability'].includes(failure.kind)) return void tell('paused', failure);
                results.push({ item: left.shift(), error: failure.message });
            }
            tell('running');
        }
        tell(left.length ? 'stopped' : 'ended');
    };
    return {
        run,
        start: (items) => go(items),
        resume: () => go(run.left, run.done),
        stop: () => {
            stop.current = true;
        },
    };
}
