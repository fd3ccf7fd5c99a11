//! YOOCHOOSE's clicks and buys (`RecSys` Challenge 2015), both without a header.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "yoochoose",
    about: "YOOCHOOSE's data set: yoochoose-clicks.dat and yoochoose-buys.dat",
    parts: &[
        Part {
            what: "yoochoose-clicks.dat",
            columns: &[("user_id", "1"), ("timestamp", "2"), ("item_id", "3")],
            width: Some(4),
            event: "view",
            ..PART
        },
        Part {
            what: "yoochoose-buys.dat",
            columns: &[
                ("user_id", "1"),
                ("timestamp", "2"),
                ("item_id", "3"),
                ("price", "4"),
            ],
            width: Some(5),
            event: "purchase",
            ..PART
        },
    ],
};
