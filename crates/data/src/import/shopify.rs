//! Shopify's exports of orders and of products. An order's further lines leave its shopper, time and currency blank, and a
//! product's further variants its title: they are those of the line above.

use super::{
    BRAND, CATEGORY, CURRENCY, Fields, ORDER, OTHER, PART, Part, Source, Step, TIME, TITLE, USER,
};

pub(super) const SOURCE: Source = Source {
    name: "shopify",
    about: "Shopify's exports: orders (orders_export.csv) and products (products_export.csv)",
    parts: &[
        Part {
            what: "orders",
            columns: &[
                ("of_order", "Name"),
                ("user_id", "Email"),
                ("item_id", "Lineitem sku"),
                ("timestamp", "Created at"),
                ("price", "Lineitem price"),
                ("currency", "Currency"),
                ("title", "Lineitem name"),
                ("brand", "Vendor"),
            ],
            needs: &["Name", "Email", "Lineitem sku", "Created at"],
            event: "purchase",
            step: || carried(&[USER, TIME, CURRENCY]),
            ..PART
        },
        Part {
            what: "products",
            columns: &[
                ("of_order", "Handle"),
                ("item_id", "Variant SKU"),
                ("title", "Title"),
                ("category", "Product Category"),
                ("other_cell", "Type"),
                ("brand", "Vendor"),
                ("price", "Variant Price"),
            ],
            needs: &["Handle", "Title", "Variant SKU"],
            // A row with an image alone has no variant.
            sparse: true,
            step: || {
                let mut carry = carried(&[TITLE, CATEGORY, BRAND, OTHER]);
                Box::new(move |fields| {
                    carry(fields)?;
                    if fields[CATEGORY].is_none() {
                        fields[CATEGORY] = fields[OTHER].take();
                    }
                    Ok(())
                })
            },
            ..PART
        },
    ],
};

/// Fills blank cells from the line above, if it is of the same order or product.
fn carried(columns: &'static [usize]) -> Step {
    let mut above: Fields = Default::default();
    Box::new(move |fields: &mut Fields| {
        if fields[ORDER].is_some() && fields[ORDER] == above[ORDER] {
            for &column in columns {
                if fields[column].is_none() {
                    fields[column].clone_from(&above[column]);
                }
            }
        }
        above.clone_from(fields);
        Ok(())
    })
}
