//! One row written in JSON: a value, a list of values, or an object of values by name.
//!
//! Read by hand for what a general reader does not give: keys in the order they are written, `NaN` and `Infinity` as Python
//! writes them, numbers parsed to the nearest double, and the column in which something is wrong.

use super::records::MOST_CELLS;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// `null`, or NaN in one of its spellings.
    Missing,
    /// A number, `Infinity` included.
    Number(f64),
    /// A whole number of more digits than a double holds, and as it is written: times in nanoseconds, or symbols.
    Long(f64, String),
    /// A number beyond the largest, as it is written.
    Beyond(String),
    /// A string.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    Single(Value),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// How far the text of a line has been read: it holds one row, or a list of lists or of objects, which is a row each.
#[derive(Debug)]
pub(super) struct Reading {
    at: usize,
    many: bool,
    ended: bool,
}

impl Reading {
    /// Begins with a text.
    pub(super) fn of(text: &str) -> Self {
        let mut parser = Parser { text, at: 0 };
        parser.blank();
        let start = parser.at;
        let mut many = false;
        if parser.peek() == Some('[') {
            parser.at += 1;
            parser.blank();
            many = matches!(parser.peek(), Some('[' | '{'));
        }
        Self {
            at: if many { parser.at } else { start },
            many,
            ended: false,
        }
    }

    /// The next row of the same text; none after the last. A row at a time: all rows of a long line at once would take many
    /// times the memory of the line.
    ///
    /// # Errors
    /// The column, from 1, what is there, and what should be.
    pub(super) fn next(&mut self, text: &str) -> Parsed<Option<Row>> {
        if self.ended {
            return Ok(None);
        }
        let mut parser = Parser { text, at: self.at };
        parser.blank();
        let row = parser.row()?;
        parser.blank();
        match parser.peek() {
            Some(',') if self.many => {
                parser.at += 1;
                self.at = parser.at;
                return Ok(Some(row));
            }
            Some(']') if self.many => parser.at += 1,
            _ if self.many => return Err(parser.wrong("a comma or the closing bracket")),
            _ => {}
        }
        parser.blank();
        self.ended = true;
        match parser.peek() {
            None => Ok(Some(row)),
            Some(_) => Err(parser.wrong("the end of the line after one JSON value")),
        }
    }
}

/// Doubles hold every whole number up to here: 2⁵³.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Whether a number that is not beyond the largest is written as a whole one.
fn is_whole(word: &str) -> bool {
    /// Far above any time, and far below the largest double.
    const MOST: usize = 300;
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.len() <= MOST && digits.bytes().all(|b| b.is_ascii_digit())
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, (usize, String, &'static str)>;

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn wrong(&self, expected: &'static str) -> (usize, String, &'static str) {
        let column = self.text[..self.at].chars().count() + 1;
        let found = match self.text[self.at..].split_whitespace().next() {
            None => "the end of the line".to_owned(),
            Some(word) => format!("`{}`", word.chars().take(20).collect::<String>()),
        };
        (column, found, expected)
    }

    fn row(&mut self) -> Parsed<Row> {
        Ok(match self.peek() {
            Some('[') => {
                self.at += 1;
                Row::List(self.list(']', Self::value)?)
            }
            Some('{') => {
                self.at += 1;
                Row::Object(self.list('}', Self::field)?)
            }
            _ => Row::Single(self.value()?),
        })
    }

    /// Entries between commas up to `end`; the opening bracket has been read.
    fn list<T>(&mut self, end: char, entry: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut entries = Vec::new();
        self.blank();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(entries);
        }
        loop {
            self.blank();
            if entries.len() == MOST_CELLS {
                return Err(self.wrong("at most 262144 entries in a row"));
            }
            entries.push(entry(self)?);
            self.blank();
            match self.peek() {
                Some(',') => self.at += 1,
                Some(c) if c == end => {
                    self.at += 1;
                    return Ok(entries);
                }
                _ => return Err(self.wrong("a comma or the closing bracket")),
            }
        }
    }

    fn field(&mut self) -> Parsed<(String, Value)> {
        let Some('"') = self.peek() else {
            return Err(self.wrong("a name in quotes"));
        };
        let name = self.string()?;
        self.blank();
        let Some(':') = self.peek() else {
            return Err(self.wrong("a colon after the name"));
        };
        self.at += 1;
        self.blank();
        Ok((name, self.value()?))
    }

    fn value(&mut self) -> Parsed<Value> {
        const EXPECTED: &str = "a number, a string or null";
        if self.peek() == Some('"') {
            return Ok(Value::Text(self.string()?));
        }
        let rest = &self.text[self.at..];
        let length = rest
            .find([',', ']', '}', ':', ' ', '\t', '\r', '\n', '[', '{', '"'])
            .unwrap_or(rest.len());
        let word = &rest[..length];
        let value = match word {
            "null" | "NaN" | "-NaN" | "nan" | "-nan" => Value::Missing,
            "true" => Value::Truth(true),
            "false" => Value::Truth(false),
            "Infinity" => Value::Number(f64::INFINITY),
            "-Infinity" => Value::Number(f64::NEG_INFINITY),
            _ if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => match word.parse() {
                Ok(number) if f64::abs(number) > WHOLE && is_whole(word) => {
                    Value::Long(number, word.to_owned())
                }
                Ok(number) if f64::is_finite(number) => Value::Number(number),
                Ok(_) => Value::Beyond(word.to_owned()),
                Err(_) => return Err(self.wrong(EXPECTED)),
            },
            _ => return Err(self.wrong(EXPECTED)),
        };
        self.at += length;
        Ok(value)
    }

    /// A string with its escapes, from its opening quote.
    fn string(&mut self) -> Parsed<String> {
        let rest = &self.text[self.at..];
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let Some((end, _)) = end else {
            return Err(self.wrong("a string with a closing quote"));
        };
        let text = serde_json::from_str(&rest[..=end]).map_err(|_| self.wrong("a string"))?;
        self.at += end + 1;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed<Vec<Row>> {
        let (mut reading, mut rows) = (Reading::of(text), Vec::new());
        while let Some(row) = reading.next(text)? {
            rows.push(row);
        }
        Ok(rows)
    }

    #[test]
    fn rows_of_every_form() {
        let object = |text| match parse(text).unwrap().remove(0) {
            Row::Object(fields) => fields,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            object(r#"{"y": 1, "a \"b\"": null, "x":-2.5e3}"#),
            [
                ("y".into(), Value::Number(1.0)),
                ("a \"b\"".into(), Value::Missing),
                ("x".into(), Value::Number(-2500.0))
            ]
        );
        assert_eq!(
            parse("[1,NaN]").unwrap(),
            [Row::List(vec![Value::Number(1.0), Value::Missing])]
        );
        assert_eq!(parse("[[1],[2]]").unwrap().len(), 2);
        assert_eq!(parse(r#"[{"x":1},{"x":2}]"#).unwrap().len(), 2);
        assert_eq!(
            parse("94.90308541619743").unwrap(),
            [Row::Single(Value::Number(94.90308541619743))]
        );
        let long = "-1700000000000000001";
        assert_eq!(
            parse(long).unwrap(),
            [Row::Single(Value::Long(-1.7e18, long.to_owned()))]
        );
        for (bad, column) in [
            ("{", 2),
            ("[1,,2]", 4),
            ("1 2", 3),
            ("[1", 3),
            (r#"{"x" 1}"#, 6),
            ("1e", 1),
            ("\"a", 1),
            ("[[[1]]]", 3),
        ] {
            assert_eq!(parse(bad).unwrap_err().0, column, "{bad}");
        }
    }
}
