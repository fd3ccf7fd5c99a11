//! Matomo's visits (`Live.getLastVisitsDetails`, format JSON): products that were viewed, and items of orders.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "matomo",
    about: "Matomo's visits: the method Live.getLastVisitsDetails as JSON",
    parts: &[
        Part {
            what: "views of products",
            columns: &[
                ("user_id", "visitorId"),
                ("item_id", "actionDetails.productViewSku"),
                ("timestamp", "actionDetails.timestamp"),
                ("price", "actionDetails.productViewPrice"),
                ("title", "actionDetails.productViewName"),
            ],
            needs: &["visitorId", "actionDetails"],
            event: "view",
            sparse: true,
            ..PART
        },
        Part {
            what: "items of orders and carts",
            columns: &[
                ("user_id", "visitorId"),
                ("item_id", "actionDetails.itemDetails.itemSKU"),
                ("timestamp", "actionDetails.timestamp"),
                ("event", "actionDetails.type"),
                ("price", "actionDetails.itemDetails.price"),
                ("title", "actionDetails.itemDetails.itemName"),
                ("category", "actionDetails.itemDetails.itemCategory"),
            ],
            needs: &["visitorId", "actionDetails"],
            events: &[
                ("ecommerceOrder", "purchase"),
                ("ecommerceAbandonedCart", "cart"),
            ],
            sparse: true,
            ..PART
        },
    ],
};
