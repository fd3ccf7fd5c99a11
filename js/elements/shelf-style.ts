/** How a shelf looks; hosts set the custom properties, or style the parts `heading`, `button`, `viewport`. */

export const SHELF = `
:host { display: block; --ingle-gap: 1rem; --ingle-card: 11rem; --ingle-accent: currentColor; position: relative; }
:host([hidden]) { display: none; }
.head { display: flex; align-items: center; justify-content: space-between; gap: 1rem; margin-block-end: .75rem; }
h2 { margin: 0; font: inherit; font-size: 1.25em; font-weight: 600; }
.controls { display: flex; gap: .5rem; margin-inline-start: auto; }
button { display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; padding: 0; border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-radius: 50%; background: transparent; color: inherit; cursor: pointer; }
button:hover:not(:disabled) { border-color: currentColor; }
button:disabled { opacity: .35; cursor: default; }
button:focus-visible { outline: 2px solid var(--ingle-accent); outline-offset: 2px; }
button svg { inline-size: 1.1rem; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
:host(:dir(rtl)) button svg { transform: scaleX(-1); }
.viewport { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(var(--ingle-card), 1fr); gap: var(--ingle-gap); margin: -.5rem; padding: .5rem; overflow-x: auto; overscroll-behavior-x: contain; scroll-snap-type: x proximity; scroll-padding-inline: .5rem; scroll-behavior: smooth; scrollbar-width: none; }
.viewport::-webkit-scrollbar { display: none; }
::slotted(*) { scroll-snap-align: start; min-inline-size: 0; }
.place::before { content: ""; display: block; aspect-ratio: 1; margin-block-end: .35rem; border-radius: .75rem; background: color-mix(in srgb, currentColor 8%, transparent); }
.place::after { content: "\\a0"; display: block; inline-size: 70%; border-radius: .3em; background: color-mix(in srgb, currentColor 12%, transparent); }
.status { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.nothing { margin: 0; padding: 1.5rem 0; opacity: .8; }
@media (prefers-reduced-motion: reduce) { .viewport { scroll-behavior: auto; } }
`;

/** For what lies in the page itself: cards of shelves without a template, and the places of cards to come. */
export const CARDS = `
:where(.ingle-card) { display: grid; gap: .35rem; color: inherit; text-decoration: none; }
:where(.ingle-picture) { display: block; aspect-ratio: 1; border-radius: .75rem; overflow: hidden; background: color-mix(in srgb, currentColor 8%, transparent); }
:where(.ingle-card img) { display: block; inline-size: 100%; block-size: 100%; object-fit: cover; }
:where(.ingle-initials) { display: grid; place-items: center; block-size: 100%; font-size: 2.25rem; font-weight: 500; letter-spacing: .06em; color: color-mix(in srgb, currentColor 72%, transparent); background: linear-gradient(135deg, hsl(var(--ingle-hue, 0) 60% 50% / .1), hsl(calc(var(--ingle-hue, 0) + 40) 60% 50% / .3)); }
:where(.ingle-initials)::before { content: attr(data-initials); }
:where(.ingle-card img:is(:not([src]), [data-ingle-broken]), .ingle-card img[src]:not([data-ingle-broken]) + .ingle-initials) { display: none; }
:where(.ingle-card .ingle-title) { font-weight: 600; line-height: 1.25; }
:where(.ingle-card .ingle-reason) { font-size: .8125em; opacity: .75; }
.ingle-skeleton { pointer-events: none; }
.ingle-skeleton :where([data-ingle-text], [data-ingle-reason]) { border-radius: .3em; background: color-mix(in srgb, currentColor 12%, transparent); color: transparent; inline-size: 70%; }
.ingle-skeleton :is(img, .ingle-initials) { visibility: hidden; }
`;
