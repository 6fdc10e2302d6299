// The menu of a row: opened by Enter or a click, walked by arrows, closed by Esc; focus goes back to its button.
import React, { useEffect, useRef } from 'react';

export default function RowMenu({ anchor, items, close }) {
    const menu = useRef(null);
    useEffect(() => {
        menu.current.querySelector('button').focus();
        const away = (event) => !menu.current.contains(event.target) && close(false);
        const place = () => `${anchor.getBoundingClientRect().right} ${anchor.getBoundingClientRect().bottom}`;
        const opened = place();
        // The scrolling that brought the button into view may be told after the click.
        const scroll = () => place() !== opened && close(false);
        document.addEventListener('mousedown', away);
        window.addEventListener('scroll', scroll, true);
        return () => {
            document.removeEventListener('mousedown', away);
            window.removeEventListener('scroll', scroll, true);
        };
    }, []);
    const keys = (event) => {
        const buttons = [...menu.current.querySelectorAll('button')];
        const at = buttons.indexOf(document.activeElement);
        const next = { ArrowDown: at + 1, ArrowUp: at - 1 + buttons.length, Home: 0, End: buttons.length - 1 }[
            event.key
        ];
        if (next !== undefined) buttons[next % buttons.length].focus();
        else if (event.key === 'Escape' || event.key === 'Tab') close(true);
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    const { right, bottom, top } = anchor.getBoundingClientRect();
    const height = items.length * 32 + 10;
    const style = {
        left: Math.max(4, right - 200),
        top: bottom + height > window.innerHeight ? Math.max(4, top - height) : bottom,
    };
    return (
        <div
            ref={menu}
            className="dc-menu"
            role="menu"
            aria-label="Actions"
            style={style}
            onKeyDown={keys}
            data-test="row-menu"
        >
            {items.map(({ label, act }) => (
                <button
                    key={label}
                    type="button"
                    role="menuitem"
                    className="dc-plain"
                    tabIndex={-1}
                    onClick={() => {
                        close(true);
                        act();
                    }}
                >
                    {label}
                </button>
            ))}
        </div>
    );
}
