//! Plain objects in their form for the native engine: all texts in one, and the shape of the object as numbers
//! (`bindings/node/src/plain-object.ts`).
//!
//! It knows no contexts: the result is the value that the object's JSON would give.

use std::borrow::Cow;

use esclusa::Value;

/// A text, followed by its length; from `LIST` on a list of that many texts.
const TEXT: u32 = 0;
const TRUE: u32 = 1;
const FALSE: u32 = 2;
const NULL: u32 = 3;
/// A number, as the two halves of a double.
const NUMBER: u32 = 4;
const LIST: u32 = 5;

/// The object, unless the lengths are not those of the text. They count units of UTF-16, so they say nothing about a
/// text that is not ASCII: there one text could end inside another.
pub(crate) fn plain_object<'t>(shape: &[u32], text: &'t str) -> Option<Value<'t>> {
    if !text.is_ascii() {
        return None;
    }
    let mut rest = Rest { shape: shape.iter(), text };
    let mut fields = Vec::with_capacity(8);
    while let Some(name) = rest.text() {
        let value = match rest.word()? {
            TEXT => Value::Text(rest.text()?),
            TRUE => Value::Bool(true),
            FALSE => Value::Bool(false),
            NULL => Value::Null,
            NUMBER => {
                let (low, high) = (rest.word()?, rest.word()?);
                Value::number(f64::from_bits(u64::from(high) << 32 | u64::from(low)))?
            }
            list => Value::List((LIST..list).map(|_| Some(Value::Text(rest.text()?))).collect::<Option<_>>()?),
        };
        fields.push((name, value));
    }
    (rest.shape.as_slice().is_empty() && rest.text.is_empty()).then_some(Value::Object(fields))
}

/// The rest of the input.
struct Rest<'s, 't> {
    shape: std::slice::Iter<'s, u32>,
    text: &'t str,
}

impl<'t> Rest<'_, 't> {
    fn word(&mut self) -> Option<u32> {
        self.shape.next().copied()
    }

    fn text(&mut self) -> Option<Cow<'t, str>> {
        let (text, rest) = self.text.split_at_checked(self.word()? as usize)?;
        self.text = rest;
        Some(Cow::Borrowed(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_comes_out_as_its_json_is_read() {
        // The lower half of 1.5 is zero.
        let [low, high] = [0, 0x3ff8_0000];
        let shape = [4, TEXT, 2, 1, TRUE, 1, FALSE, 1, NULL, 1, NUMBER, low, high, 5, LIST + 2, 1, 0, 1, LIST];
        let value = plain_object(&shape, "useru1abcdrolesxe");
        let json = br#"{"user":"u1","a":true,"b":false,"c":null,"d":1.5,"roles":["x",""],"e":[]}"#;
        assert_eq!(value, Value::from_json(json).ok());
        assert_eq!(plain_object(&[], ""), Some(Value::Object(Vec::new())));
    }

    #[test]
    fn lengths_that_are_not_those_of_the_text_are_no_object() {
        for (shape, text) in [
            (&[4, TEXT, 2][..], "useru"),
            (&[4, TEXT, 2], "useru12"),
            (&[4, TEXT, 2], "user\u{f1}1"),
            (&[4, TEXT, 1], "user\u{f1}"),
            (&[4, TEXT, 2], "user\u{f1}"),
            (&[4], "user"),
            (&[4, TEXT], "user"),
            (&[4, LIST + 2, 1], "usera"),
            (&[4, NUMBER, 0], "user"),
            (&[4, NUMBER, 0, 0x7ff0_0000], "user"),
            (&[u32::MAX, u32::MAX, u32::MAX], "user"),
        ] {
            assert_eq!(plain_object(shape, text), None, "{shape:?} {text:?}");
        }
    }
}
