// Splunk Web's bar, as @splunk/react-page asks for it: a place for the page below it.
window.__splunk_layout__ = {
    create: function () {
        var place = document.createElement('div');
        place.setAttribute('role', 'main');
        document.body.appendChild(place);
        return {
            getContainerElement: function () {
                return place;
            },
        };
    },
};
