//! `WooCommerce`: orders and products of its REST interface as JSON (also of `wp wc shop_order list --format=json`), and its
//! export of products as CSV. A guest is known by the e-mail address of the bill, and everybody is, for guests who later
//! register.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "woocommerce",
    about: "WooCommerce: orders and products as JSON of its REST interface, and its export of products as CSV",
    parts: &[
        Part {
            what: "orders",
            columns: &[
                ("user_id", "billing.email"),
                ("item_id", "line_items.product_id"),
                ("timestamp", "date_created_gmt"),
                ("price", "line_items.price"),
                ("currency", "currency"),
                ("title", "line_items.name"),
            ],
            needs: &["billing.email", "line_items", "date_created_gmt"],
            event: "purchase",
            ..PART
        },
        Part {
            what: "products as JSON",
            columns: &[
                ("item_id", "id"),
                ("title", "name"),
                ("category", "categories.name"),
                ("price", "price"),
            ],
            needs: &["id", "name", "categories"],
            ..PART
        },
        Part {
            what: "products as CSV",
            columns: &[
                ("item_id", "ID"),
                ("title", "Name"),
                ("category", "Categories"),
                ("price", "Regular price"),
            ],
            needs: &["ID", "Name", "Categories"],
            ..PART
        },
    ],
};
