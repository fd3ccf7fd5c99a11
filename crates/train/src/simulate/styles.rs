//! The shop's four styles: names of their collections, and colours.

/// A style. Shoppers prefer one, so that variants of a product differ in popularity.
#[derive(Debug)]
pub(super) struct Style {
    pub(super) name: &'static str,
    /// Collection names, and the setting of a book in that collection.
    pub(super) collections: [(&'static str, &'static str); 4],
    /// Colour name, the colour, and a matching colour.
    pub(super) colours: [(&'static str, &'static str, &'static str); 5],
    pub(super) patterns: [&'static str; 3],
}

pub(super) const STYLES: [Style; 4] = [
    Style {
        name: "Moor",
        collections: [
            ("Heather", "Heather Fell"),
            ("Tarn", "Tarnside"),
            ("Curlew", "Curlew Moss"),
            ("Skelder", "Skelder Top"),
        ],
        colours: [
            ("heather", "#8d7396", "#d9c7a3"),
            ("peat", "#6b5344", "#d7a86e"),
            ("slate", "#66737f", "#c9d1cf"),
            ("moss", "#7b8450", "#e3d6a8"),
            ("lichen", "#a8ab82", "#5f6b57"),
        ],
        patterns: ["plain", "check", "herringbone"],
    },
    Style {
        name: "Coast",
        collections: [
            ("Saltmarsh", "Saltmarsh Bay"),
            ("Harbour", "Harbour Row"),
            ("Skerry", "Skerry Point"),
            ("Sandpiper", "Piper's Sands"),
        ],
        colours: [
            ("sea", "#3f7c85", "#eadfc8"),
            ("navy", "#33475f", "#e8d9bd"),
            ("sand", "#d3b98c", "#4d7580"),
            ("shell", "#e0b8a4", "#6f8a8f"),
            ("foam", "#b9cfca", "#3d6470"),
        ],
        patterns: ["plain", "stripe", "wave"],
    },
    Style {
        name: "Forest",
        collections: [
            ("Rowan", "Rowan Cross"),
            ("Bracken", "Brackenholt"),
            ("Fernhollow", "Fernhollow"),
            ("Hazel", "Hazel Green"),
        ],
        colours: [
            ("fern", "#5f7d54", "#e4d3a2"),
            ("rowan", "#b4472f", "#ead7b4"),
            ("bark", "#7a5a41", "#dcc59a"),
            ("pine", "#3d5a4c", "#d8b26b"),
            ("acorn", "#b98a4b", "#51604a"),
        ],
        patterns: ["plain", "leaf", "speckle"],
    },
    Style {
        name: "Town",
        collections: [
            ("Lamplight", "Lamplight Square"),
            ("Foundry", "Foundry Lane"),
            ("Mews", "Pocket Mews"),
            ("Arcade", "Arcade Street"),
        ],
        colours: [
            ("brick", "#b5583f", "#efdcc3"),
            ("mustard", "#d29a32", "#4a4a55"),
            ("ink", "#3a3d4d", "#e0a95b"),
            ("cream", "#e6d8bd", "#a44f3a"),
            ("plum", "#7a4458", "#e7c9a9"),
        ],
        patterns: ["plain", "dots", "diamond"],
    },
];
