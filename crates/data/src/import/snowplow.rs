//! Snowplow's enriched events with its ecommerce schemas, as JSON lines (as its analytics SDKs write them).

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "snowplow",
    about: "Snowplow's enriched events with its ecommerce schemas, as JSON lines",
    parts: &[Part {
        what: "events",
        columns: &[
            ("user_id", "domain_userid"),
            (
                "item_id",
                "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1.id",
            ),
            ("timestamp", "derived_tstamp"),
            (
                "event",
                "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1.type",
            ),
            (
                "price",
                "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1.price",
            ),
            (
                "currency",
                "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1.currency",
            ),
            (
                "title",
                "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1.name",
            ),
            (
                "category",
                "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1.category",
            ),
            (
                "brand",
                "contexts_com_snowplowanalytics_snowplow_ecommerce_product_1.brand",
            ),
        ],
        needs: &["domain_userid", "derived_tstamp"],
        events: &[
            ("product_view", "view"),
            ("list_click", "view"),
            ("add_to_cart", "cart"),
            ("transaction", "purchase"),
        ],
        ..PART
    }],
};
