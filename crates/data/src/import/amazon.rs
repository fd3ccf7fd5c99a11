//! Amazon reviews of 2014, 2018 and 2023: reviews as JSON lines or ratings as CSV, and metadata, which in 2014 is
//! written as Python prints it.

use super::{Fields, ITEM, PART, Part, Source, Step, USER};

pub(super) const SOURCE: Source = Source {
    name: "amazon",
    about: "Amazon reviews of 2014, 2018 and 2023: reviews or ratings, and metadata (meta_*)",
    parts: &[
        Part {
            what: "reviews of 2014 and 2018",
            columns: &[
                ("user_id", "reviewerID"),
                ("item_id", "asin"),
                ("rating", "overall"),
                ("timestamp", "unixReviewTime"),
            ],
            needs: &["reviewerID", "asin", "unixReviewTime"],
            ..PART
        },
        Part {
            what: "reviews of 2023",
            columns: &[
                ("user_id", "user_id"),
                ("item_id", "parent_asin"),
                ("rating", "rating"),
                ("timestamp", "timestamp"),
            ],
            needs: &["user_id", "parent_asin", "timestamp"],
            ..PART
        },
        Part {
            what: "ratings of 2014 and 2018",
            columns: &[
                ("user_id", "1"),
                ("item_id", "2"),
                ("rating", "3"),
                ("timestamp", "4"),
            ],
            width: Some(4),
            step: in_order,
            ..PART
        },
        Part {
            what: "metadata of 2023",
            columns: &[
                ("item_id", "parent_asin"),
                ("title", "title"),
                ("category", "categories"),
                ("brand", "store"),
                ("price", "price"),
            ],
            needs: &["parent_asin", "title", "main_category"],
            ..PART
        },
        Part {
            what: "metadata of 2014",
            columns: &[
                ("item_id", "asin"),
                ("title", "title"),
                ("category", "categories"),
                ("brand", "brand"),
                ("price", "price"),
            ],
            needs: &["asin", "categories"],
            ..PART
        },
        Part {
            what: "metadata of 2018",
            columns: &[
                ("item_id", "asin"),
                ("title", "title"),
                ("category", "category"),
                ("brand", "brand"),
                ("price", "price"),
            ],
            needs: &["asin", "category", "title"],
            ..PART
        },
    ],
};

/// Ratings of 2014 name the user first, those of 2018 the item. An item's number has ten letters, a user's has more,
/// and begins with A.
fn in_order() -> Step {
    Box::new(|fields: &mut Fields| {
        let is_user = |cell: &Option<String>| {
            cell.as_ref()
                .is_some_and(|id| id.len() > 10 && id.starts_with('A'))
        };
        if !is_user(&fields[USER]) && is_user(&fields[ITEM]) {
            fields.swap(USER, ITEM);
        }
        Ok(())
    })
}
