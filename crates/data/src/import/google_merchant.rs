//! Google Merchant Center's feeds of products, as TSV or XML. A price has its currency behind it.

use super::{CATEGORY, CURRENCY, OTHER, PART, PRICE, Part, Source, Step};

pub(super) const SOURCE: Source = Source {
    name: "google-merchant",
    about: "Google Merchant Center's feed of products, as TSV or XML (RSS or Atom)",
    parts: &[Part {
        what: "products",
        columns: &[
            ("item_id", "id"),
            ("title", "title"),
            ("category", "product_type"),
            ("other_cell", "google_product_category"),
            ("brand", "brand"),
            ("price", "price"),
        ],
        needs: &["id", "title", "price"],
        step: priced,
        ..PART
    }],
};

fn priced() -> Step {
    Box::new(|fields| {
        if let Some((price, currency)) = fields[PRICE]
            .as_deref()
            .and_then(|price| price.split_once(' '))
        {
            let (price, currency) = (price.to_owned(), currency.to_owned());
            (fields[PRICE], fields[CURRENCY]) = (Some(price), Some(currency));
        }
        if fields[CATEGORY].is_none() {
            fields[CATEGORY] = fields[OTHER].take();
        }
        Ok(())
    })
}
