//! Yelp's open data set: reviews of businesses.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "yelp",
    about: "Yelp's open data set: yelp_academic_dataset_review.json and yelp_academic_dataset_business.json",
    parts: &[
        Part {
            what: "reviews",
            columns: &[
                ("user_id", "user_id"),
                ("item_id", "business_id"),
                ("rating", "stars"),
                ("timestamp", "date"),
            ],
            needs: &["review_id", "user_id", "business_id", "date"],
            ..PART
        },
        Part {
            what: "businesses",
            columns: &[
                ("item_id", "business_id"),
                ("title", "name"),
                ("category", "categories"),
            ],
            needs: &["business_id", "name", "categories"],
            ..PART
        },
    ],
};
