"""Prints the cosines between titles under TF-IDF, for the test in crates/data/src/text/titles.rs."""

from sklearn.feature_extraction.text import TfidfVectorizer

TITLES = ["Red lipstick, red case", "Pink Lipstick case", "Shampoo for dry hair", "dry-hair SHAMPOO pink", ""]

rows = TfidfVectorizer(sublinear_tf=True, min_df=2, token_pattern=r"(?u)[^\W_]+").fit_transform(TITLES)
for row in (rows @ rows.T).toarray():
    print([round(float(cosine), 7) for cosine in row])
