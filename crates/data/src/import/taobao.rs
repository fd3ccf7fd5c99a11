//! Taobao's UserBehavior.csv, without a header: user, item, category, kind of event, time.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "taobao",
    about: "Taobao's data set: UserBehavior.csv",
    parts: &[Part {
        what: "UserBehavior.csv",
        columns: &[
            ("user_id", "1"),
            ("item_id", "2"),
            ("category", "3"),
            ("event", "4"),
            ("timestamp", "5"),
        ],
        width: Some(5),
        events: &[
            ("pv", "view"),
            ("cart", "cart"),
            ("fav", "wish"),
            ("buy", "purchase"),
        ],
        ..PART
    }],
};
