//! Google Analytics 4, exported to `BigQuery` and from there as JSON lines or Parquet: events with their items. Lists in which
//! items were shown are no choice of the shopper and passed over.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "ga4",
    about: "Google Analytics 4's export to BigQuery, as JSON lines or Parquet",
    parts: &[Part {
        what: "events",
        columns: &[
            ("user_id", "user_pseudo_id"),
            ("item_id", "items.item_id"),
            ("timestamp", "event_timestamp"),
            ("event", "event_name"),
            ("price", "items.price"),
            ("title", "items.item_name"),
            ("category", "items.item_category"),
            ("brand", "items.item_brand"),
        ],
        needs: &["user_pseudo_id", "event_timestamp", "event_name", "items"],
        events: &[
            ("view_item", "view"),
            ("select_item", "view"),
            ("add_to_cart", "cart"),
            ("add_to_wishlist", "wish"),
            ("purchase", "purchase"),
        ],
        ..PART
    }],
};
