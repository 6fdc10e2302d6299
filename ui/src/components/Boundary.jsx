// Never a blank page: what broke, and in which version.
import React from 'react';

export default class Boundary extends React.Component {
    constructor(props) {
        super(props);
        this.state = { error: null };
    }

    static getDerivedStateFromError(error) {
        return { error };
    }

    render() {
        const { error } = this.state;
        if (!error) return this.props.children;
        return (
            <div role="alert" style={{ padding: 24 }} data-test="broken">
                <h1>Customers</h1>
                <p>
                    This page broke: {String(error.message || error)} (version {process.env.PAGE_VERSION}). Load it
                    again. If that does not help, Settings &gt; Data inputs &gt; Microsoft Defender alerts does the same
                    work.
                </p>
            </div>
        );
    }
}
