//! What columns are likely to hold, by their names.

/// Usual names of our columns, small and without what is no letter or digit, the likeliest first.
const USUAL: [(&str, &[&str]); 9] = [
    (
        "user_id",
        &[
            "userid",
            "user",
            "customerid",
            "customer",
            "customeremail",
            "email",
            "visitorid",
            "visitor",
            "clientid",
            "userpseudoid",
            "anonymousid",
            "domainuserid",
            "reviewerid",
            "shopperid",
            "memberid",
            "accountid",
            "billingemail",
            "uid",
            "sessionid",
            "session",
            "username",
            "buyerid",
        ],
    ),
    (
        "item_id",
        &[
            "itemid",
            "item",
            "productid",
            "product",
            "sku",
            "lineitemsku",
            "parentasin",
            "asin",
            "movieid",
            "articleid",
            "itemsitemid",
            "eventsaid",
            "variantid",
            "productsku",
            "businessid",
            "gameid",
            "bookid",
            "aid",
            "isbn",
            "contentid",
            "lineitemname",
            "id",
        ],
    ),
    (
        "timestamp",
        &[
            "timestamp",
            "time",
            "datetime",
            "createdat",
            "date",
            "eventtimestamp",
            "eventtime",
            "unixreviewtime",
            "ts",
            "eventsts",
            "purchasedate",
            "orderdate",
            "datecreated",
            "collectortstamp",
            "servertime",
            "clicktime",
            "created",
            "unixtimestamp",
        ],
    ),
    (
        "title",
        &[
            "title",
            "name",
            "productname",
            "itemname",
            "productname",
            "movietitle",
            "lineitemname",
        ],
    ),
    (
        "category",
        &[
            "category",
            "categories",
            "producttype",
            "googleproductcategory",
            "genres",
            "itemcategory",
            "maincategory",
        ],
    ),
    (
        "event",
        &[
            "event",
            "eventtype",
            "eventname",
            "type",
            "behavior",
            "behaviour",
            "action",
            "eventstype",
        ],
    ),
    ("weight", &["weight", "rating", "overall", "stars", "score"]),
    (
        "price",
        &["price", "lineitemprice", "itemprice", "unitprice"],
    ),
    ("brand", &["brand", "vendor", "manufacturer"]),
];

/// The name among `found` that is likely to be that of our column.
pub(super) fn guess<'a>(ours: &str, found: &'a [String]) -> Option<&'a str> {
    let (_, usual) = USUAL.iter().find(|(name, _)| *name == ours)?;
    let plain: Vec<String> = found.iter().map(|name| plain(name)).collect();
    let at = usual
        .iter()
        .find_map(|name| plain.iter().position(|found| found == name))?;
    Some(&found[at])
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// A word of a command as a shell takes it.
pub(crate) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
