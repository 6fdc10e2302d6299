// The state of the form: plain values here, secrets only in their boxes.
import { useEffect, useRef, useState } from 'react';
import { problemsOf, startValues, wayOf } from '../model/form.mjs';

export default function useForm({ params, own, row, clone, client_id, taken }) {
    const isNew = !row || clone;
    const [before] = useState(() => (isNew ? null : startValues(params, own, row)));
    const [start] = useState(() => startValues(params, own, row, { clone, client_id }));
    const [values, setValues] = useState(start);
    const [name, setName] = useState('');
    const [firstWay] = useState(() => wayOf(row));
    const [way, setWay] = useState(firstWay);
    const [problems, setProblems] = useState({});
    const [marks, setMarks] = useState({}); // what the program said of a value, until that value is changed
    const [touched, setTouched] = useState(0);
    const boxes = useRef({});
    const timer = useRef(null);

    const secrets = () =>
        Object.fromEntries(
            Object.entries(boxes.current)
                .filter(([, box]) => box)
                .map(([key, box]) => [key, box.value]),
        );
    // What is sent: the plain values, and a proxy that was typed.
    const all = () => ({ ...values, ...(secrets().proxy ? { proxy: secrets().proxy.trim() } : {}) });
    const check = (only) => {
        if (!only) setMarks({});
        const found = problemsOf(params, { name, values: all(), secrets: secrets(), way, isNew, taken });
        setProblems(
            only
                ? (old) => Object.fromEntries(Object.entries(found).filter(([key]) => only.has(key) || old[key]))
                : found,
        );
        return found;
    };
    // As typed: a box is judged when the person pauses, and only once something is in it.
    const changed = useRef(new Set());
    useEffect(() => {
        clearTimeout(timer.current);
        if (!changed.current.size) return undefined;
        timer.current = setTimeout(() => check(changed.current), 500);
        return () => clearTimeout(timer.current);
    }, [values, name, way, touched]);
    const noted = (key) => {
        changed.current.add(key);
        setProblems((old) => (old[key] ? { ...old, [key]: '' } : old));
        setMarks((old) => (old[key] ? { ...old, [key]: '' } : old));
    };
    return {
        isNew,
        before,
        name,
        values,
        way,
        problems: { ...problems, ...Object.fromEntries(Object.entries(marks).filter(([, text]) => text)) },
        all,
        secrets,
        check,
        setName: (text) => {
            noted('name');
            setName(text);
        },
        change: (key, text) => {
            noted(key);
            setValues((old) => ({ ...old, [key]: text }));
        },
        setWay,
        touch: (key) => {
            noted(key);
            setTouched((old) => old + 1);
        },
        secretRef: (key) => (box) => {
            boxes.current[key] = box;
        },
        mark: (key, text) => setMarks((old) => ({ ...old, [key]: text })),
        dirty: () =>
            name !== '' ||
            way !== firstWay ||
            Object.keys(values).some((key) => values[key] !== start[key]) ||
            Object.entries(secrets()).some(([, text]) => text),
        // Forgets what was typed into the boxes of secrets.
        clear: () => Object.values(boxes.current).forEach((box) => box && (box.value = '')),
    };
}
