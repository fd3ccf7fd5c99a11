/** How the privacy panel looks; hosts set the custom properties, or style its parts. */

export const PRIVACY = `
:host { display: block; --ingle-accent: #2f6f4f; --ingle-warn: #a45a12; --ingle-line: color-mix(in srgb, currentColor 18%, transparent); }
:host([hidden]) { display: none; }
h2 { margin: 0 0 .25rem; font: inherit; font-size: 1.25em; font-weight: 600; }
p { margin: 0; }
.quiet, .facts { font-size: .875em; opacity: .85; }
.warning { color: var(--ingle-warn); font-weight: 600; }
.box { display: grid; gap: 1rem; }
fieldset { margin: 0; padding: .75rem 1rem; border: 1px solid var(--ingle-line); border-radius: .75rem; }
legend { padding: 0 .35rem; font-weight: 600; font-size: .875em; }
label { display: flex; gap: .6rem; align-items: center; min-block-size: 2rem; }
input { accent-color: var(--ingle-accent); inline-size: 1.1rem; block-size: 1.1rem; margin: 0; flex: none; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
button { font: inherit; font-size: .875em; font-weight: 600; padding: .5rem .9rem; border: 1px solid var(--ingle-line); border-radius: 99px; background: transparent; color: inherit; cursor: pointer; }
button:hover:not(:disabled) { border-color: currentColor; }
button:disabled { opacity: .45; cursor: default; }
:is(button, input):focus-visible { outline: 2px solid var(--ingle-accent); outline-offset: 2px; }
ol { display: grid; gap: .25rem; margin: 0; padding: 0; list-style: none; }
li { display: grid; grid-template-columns: 1fr auto; gap: .25rem 1rem; align-items: start; padding: .6rem 0; border-block-start: 1px solid var(--ingle-line); }
li .title { font-weight: 600; }
li.ignored .title { text-decoration: line-through; text-decoration-color: var(--ingle-warn); }
li.ignored .word { color: var(--ingle-warn); font-weight: 600; opacity: 1; }
li button { padding: .25rem .6rem; }
.facts { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
.status { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
