(({ blocks, blockEditor, components, element, i18n }) => {
  const { createElement: h, Fragment } = element;
  const { __ } = i18n;
  const kinds = {
    personal: __("for the shopper", "ingle"),
    similar: __("like the product of the page", "ingle"),
    complete: __("what goes with it", "ingle"),
    recent: __("looked at last", "ingle"),
    popular: __("popular", "ingle"),
  };

  function Shelf({ attributes: { kind, heading, k }, setAttributes }) {
    const controls = h(
      components.PanelBody,
      { title: __("Recommendations", "ingle") },
      h(components.TextControl, { label: __("Heading", "ingle"), value: heading, onChange: (heading) => setAttributes({ heading }) }),
      h(components.SelectControl, { label: __("Which", "ingle"), value: kind, options: Object.entries(kinds).map(([value, label]) => ({ value, label })), onChange: (kind) => setAttributes({ kind }) }),
      h(components.RangeControl, { label: __("How many", "ingle"), value: k, min: 1, max: 24, onChange: (k) => setAttributes({ k }) }),
    );
    return h(Fragment, null, h(blockEditor.InspectorControls, null, controls), h("div", blockEditor.useBlockProps(), h(components.Placeholder, { icon: "star-filled", label: heading, instructions: `${k} ${kinds[kind]}` })));
  }

  const Privacy = () => h("div", blockEditor.useBlockProps(), h(components.Placeholder, { icon: "privacy", label: __("What this browser knows", "ingle") }));

  blocks.registerBlockType("ingle/shelf", { edit: Shelf, save: () => null });
  blocks.registerBlockType("ingle/privacy", { edit: Privacy, save: () => null });
})(window.wp);
