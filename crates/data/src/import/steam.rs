//! Steam reviews (version 2 of `McAuley`'s collection), as Python prints them: `steam_reviews.json.gz` and
//! `steam_games.json.gz`. Times are days.

use super::{PART, Part, Source};

pub(super) const SOURCE: Source = Source {
    name: "steam",
    about: "Steam reviews: steam_reviews.json.gz and steam_games.json.gz",
    parts: &[
        Part {
            what: "steam_reviews.json",
            columns: &[
                ("user_id", "username"),
                ("item_id", "product_id"),
                ("timestamp", "date"),
            ],
            needs: &["username", "product_id", "date"],
            ..PART
        },
        Part {
            what: "steam_games.json",
            columns: &[
                ("item_id", "id"),
                ("title", "app_name"),
                ("category", "genres"),
                ("brand", "publisher"),
                ("price", "price"),
            ],
            needs: &["id", "app_name"],
            ..PART
        },
    ],
};
