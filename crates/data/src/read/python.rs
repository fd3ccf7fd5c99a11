//! Objects as Python prints them, which some published data sets have in files called JSON: `{u'asin': 'B0', 'price': 3.5}`.

use serde_json::{Map, Number, Value};

/// Levels of nesting that are taken.
const DEEPEST: usize = 32;

/// Reads a line that holds one dictionary; `None` if it is none.
pub(super) fn object(line: &[u8]) -> Option<Map<String, Value>> {
    let text = str::from_utf8(line).ok()?;
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value(0)?;
    match value {
        Value::Object(object) if reader.rest.trim().is_empty() => Some(object),
        _ => None,
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        if self.take("{") {
            let mut object = Map::new();
            while !self.take("}") {
                let key = self.text()?;
                if !self.take(":") {
                    return None;
                }
                object.insert(key, self.value(depth + 1)?);
                if !self.take(",") && !self.rest.trim_start().starts_with('}') {
                    return None;
                }
            }
            return Some(Value::Object(object));
        }
        for (open, close) in [("[", "]"), ("(", ")")] {
            if self.take(open) {
                let mut list = Vec::new();
                while !self.take(close) {
                    list.push(self.value(depth + 1)?);
                    if !self.take(",") && !self.rest.trim_start().starts_with(close) {
                        return None;
                    }
                }
                return Some(Value::Array(list));
            }
        }
        for (word, value) in [
            ("None", Value::Null),
            ("True", Value::Bool(true)),
            ("False", Value::Bool(false)),
        ] {
            if self.take(word) {
                return Some(value);
            }
        }
        if self.rest.starts_with(['\'', '"', 'u', 'b']) {
            return self.text().map(Value::String);
        }
        self.number()
    }

    fn number(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find([',', '}', ']', ')'])
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let text = text.trim().trim_end_matches('L');
        let whole = text.parse::<i64>().ok().map(Number::from);
        let number = whole.or_else(|| Number::from_f64(text.parse().ok()?))?;
        Some(Value::Number(number))
    }

    fn text(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        self.rest = self.rest.strip_prefix(['u', 'b']).unwrap_or(self.rest);
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|quote| ['\'', '"'].contains(quote))?;
        let mut text = String::new();
        let mut letters = self.rest[1..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => {
                    let (_, escape) = letters.next()?;
                    let digits = match escape {
                        'n' => Some('\n').map(|letter| text.push(letter)).map(|()| 0),
                        't' => Some('\t').map(|letter| text.push(letter)).map(|()| 0),
                        'r' => Some('\r').map(|letter| text.push(letter)).map(|()| 0),
                        'x' => Some(2),
                        'u' => Some(4),
                        'U' => Some(8),
                        other => Some(other).map(|letter| text.push(letter)).map(|()| 0),
                    }?;
                    if digits > 0 {
                        let mut code = 0;
                        for _ in 0..digits {
                            code = code * 16 + letters.next()?.1.to_digit(16)?;
                        }
                        text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                }
                _ if letter == quote => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Some(text);
                }
                _ => text.push(letter),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::object;
    use serde_json::json;

    #[test]
    fn dictionaries_are_read_as_python_prints_them() {
        let line = br#"{u'name': u"O'Brien\u2019s \"x\"", 'hours': 1.5, 'n': 7L, 'no': None, 'ok': True, 'tags': ['a', ('b',)], 'in': {}}"#;
        let due = json!({
            "name": "O'Brien\u{2019}s \"x\"", "hours": 1.5, "n": 7, "no": null, "ok": true,
            "tags": ["a", ["b"]], "in": {},
        });
        assert_eq!(object(line).map(serde_json::Value::Object), Some(due));
    }

    #[test]
    fn what_is_no_dictionary_is_refused() {
        let deep = format!("{{'a': {}{}}}", "[".repeat(5000), "]".repeat(5000));
        for line in [
            "",
            "{",
            "{'a'}",
            "{'a': 1",
            "{'a': 1} x",
            "{'a': 'b",
            "{'a': \\",
            "[1]",
            "{'a': '\\u12'}",
            &deep,
        ] {
            assert_eq!(object(line.as_bytes()), None, "{line:.40}");
        }
    }
}
