//! `RetailRocket`'s log: events.csv, and `item_properties` with the category of an item, of which the first counts. The tree
//! of categories is not used.

use super::{CATEGORY, ITEM, OTHER, PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "retailrocket",
    about: "RetailRocket's data set: events.csv, item_properties_part1.csv and item_properties_part2.csv",
    parts: &[
        Part {
            what: "events.csv",
            columns: &[
                ("user_id", "visitorid"),
                ("item_id", "itemid"),
                ("timestamp", "timestamp"),
                ("event", "event"),
            ],
            needs: &["visitorid", "itemid", "timestamp", "event"],
            events: &[
                ("view", "view"),
                ("addtocart", "cart"),
                ("transaction", "purchase"),
            ],
            ..PART
        },
        Part {
            what: "item_properties",
            columns: &[
                ("item_id", "itemid"),
                ("other_cell", "property"),
                ("category", "value"),
            ],
            needs: &["itemid", "property", "value"],
            sparse: true,
            step: || {
                Box::new(|fields| {
                    if fields[OTHER].as_deref() != Some("categoryid") {
                        (fields[ITEM], fields[CATEGORY]) = (None, None);
                    }
                    Ok(())
                })
            },
            ..PART
        },
    ],
};
