//! `MovieLens` of all sizes: CSV with a header (20M, 25M, 32M, latest), `::` without one (1M, 10M), and the tabs and
//! pipes of 100K, whose genres are flags and left out.

use super::{CATEGORY, Fields, PART, Part, Source, Step};

pub(super) const SOURCE: Source = Source {
    name: "movielens",
    about: "MovieLens: ratings.csv and movies.csv, ratings.dat and movies.dat, or u.data and u.item",
    parts: &[
        Part {
            what: "ratings.csv",
            columns: &[
                ("user_id", "userId"),
                ("item_id", "movieId"),
                ("rating", "rating"),
                ("timestamp", "timestamp"),
            ],
            needs: &["userId", "movieId", "rating", "timestamp"],
            ..PART
        },
        Part {
            what: "movies.csv",
            columns: &[
                ("item_id", "movieId"),
                ("title", "title"),
                ("category", "genres"),
            ],
            needs: &["movieId", "title", "genres"],
            step: genres,
            ..PART
        },
        Part {
            what: "ratings.dat or u.data",
            columns: &[
                ("user_id", "1"),
                ("item_id", "2"),
                ("rating", "3"),
                ("timestamp", "4"),
            ],
            width: Some(4),
            ..PART
        },
        Part {
            what: "movies.dat",
            columns: &[("item_id", "1"), ("title", "2"), ("category", "3")],
            width: Some(3),
            step: genres,
            ..PART
        },
        Part {
            what: "u.item",
            columns: &[("item_id", "1"), ("title", "2")],
            width: Some(24),
            ..PART
        },
    ],
};

/// Genres are between pipes; `(no genres listed)` is none.
fn genres() -> Step {
    Box::new(|fields: &mut Fields| {
        let genres = fields[CATEGORY]
            .take()
            .filter(|genres| !genres.starts_with('('));
        fields[CATEGORY] = genres.map(|genres| genres.replace('|', " > "));
        Ok(())
    })
}
