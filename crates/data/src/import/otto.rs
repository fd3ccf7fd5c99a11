//! OTTO's sessions (github.com/otto-de/recsys-dataset): a session a line with its events.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "otto",
    about: "OTTO's data set: train.jsonl or test.jsonl",
    parts: &[Part {
        what: "sessions",
        columns: &[
            ("user_id", "session"),
            ("item_id", "events.aid"),
            ("timestamp", "events.ts"),
            ("event", "events.type"),
        ],
        needs: &["session", "events"],
        events: &[
            ("clicks", "view"),
            ("carts", "cart"),
            ("orders", "purchase"),
        ],
        ..PART
    }],
};
