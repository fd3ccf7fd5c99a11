//! Segment's ecommerce events (also `RudderStack`'s), as JSON lines: one product, or the products of an order.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "segment",
    about: "Segment's track events by its ecommerce specification, as JSON lines",
    parts: &[
        Part {
            what: "events of one product",
            columns: &[
                ("user_id", "anonymousId"),
                ("item_id", "properties.product_id"),
                ("timestamp", "timestamp"),
                ("event", "event"),
                ("price", "properties.price"),
                ("currency", "properties.currency"),
                ("title", "properties.name"),
                ("category", "properties.category"),
                ("brand", "properties.brand"),
            ],
            needs: &["anonymousId", "timestamp", "event", "properties"],
            events: &[
                ("Product Viewed", "view"),
                ("Product Clicked", "view"),
                ("Product Added", "cart"),
                ("Product Added to Wishlist", "wish"),
            ],
            ..PART
        },
        Part {
            what: "orders",
            columns: &[
                ("user_id", "anonymousId"),
                ("item_id", "properties.products.product_id"),
                ("timestamp", "timestamp"),
                ("event", "event"),
                ("price", "properties.products.price"),
                ("currency", "properties.currency"),
                ("title", "properties.products.name"),
                ("category", "properties.products.category"),
                ("brand", "properties.products.brand"),
            ],
            needs: &["anonymousId", "timestamp", "event", "properties"],
            events: &[("Order Completed", "purchase")],
            ..PART
        },
    ],
};
