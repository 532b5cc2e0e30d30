//! The type of values, as far as JSON tells: what can be said of a flag from the values that it serves.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::Value;

/// Everything that values of one place are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    /// Nothing can be said: any JSON.
    pub(crate) any: bool,
    pub(crate) null: bool,
    pub(crate) boolean: bool,
    pub(crate) number: Option<Number>,
    /// The texts themselves.
    pub(crate) texts: BTreeSet<String>,
    /// What the elements of lists are.
    pub(crate) list: Option<Box<Shape>>,
    /// The fields of objects.
    pub(crate) object: Option<Fields>,
}

/// What numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Number {
    /// Whole, and few enough digits for 64 bits.
    Whole,
    Double,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields {
    pub(crate) fields: BTreeMap<String, Field>,
    /// How many objects there are.
    objects: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    /// How many objects have it.
    count: usize,
}

impl Fields {
    /// Whether every object has the field.
    pub(crate) fn is_in_all(&self, field: &Field) -> bool {
        field.count == self.objects
    }
}

impl Shape {
    /// That of any JSON.
    pub(crate) fn any() -> Self {
        Shape { any: true, ..Shape::default() }
    }

    /// Makes room for a value.
    pub(crate) fn add(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.null = true,
            Value::Bool(_) => self.boolean = true,
            Value::Text(text) => _ = self.texts.insert(text.to_string()),
            Value::List(values) => {
                let list = self.list.get_or_insert_default();
                values.iter().for_each(|value| list.add(value));
            }
            Value::Object(fields) => {
                let object = self.object.get_or_insert_default();
                object.objects += 1;
                // Of a field that stands twice the last one counts.
                let fields: BTreeMap<&str, &Value<'_>> =
                    fields.iter().map(|(name, value)| (name.as_ref(), value)).collect();
                for (name, value) in fields {
                    let field = object.fields.entry(name.to_owned()).or_default();
                    field.count += 1;
                    field.shape.add(value);
                }
            }
            number => {
                let kind = if number.as_i64().is_some() { Number::Whole } else { Number::Double };
                self.number = self.number.max(Some(kind));
            }
        }
    }

    /// The only kind of value besides null, if there is one.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let kinds = [
            self.boolean.then_some(Kind::Boolean),
            self.number.map(Kind::Number),
            (!self.texts.is_empty()).then_some(Kind::Text),
            self.list.is_some().then_some(Kind::List),
            self.object.is_some().then_some(Kind::Object),
        ];
        let mut kinds = kinds.into_iter().flatten();
        kinds.next().filter(|_| !self.any && kinds.next().is_none())
    }
}

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Number(Number),
    Text,
    List,
    Object,
}

#[cfg(test)]
mod tests {
    use esclusa::Value;

    use super::{Kind, Number, Shape};

    fn shape(values: &str) -> Shape {
        let mut shape = Shape::default();
        let values = Value::from_json(values.as_bytes()).unwrap();
        values.as_list().unwrap().iter().for_each(|value| shape.add(value));
        shape
    }

    #[test]
    fn one_kind_is_told_from_several() {
        assert_eq!(shape("[true, null]").kind(), Some(Kind::Boolean));
        assert_eq!(shape("[1, 2]").kind(), Some(Kind::Number(Number::Whole)));
        assert_eq!(shape("[1, 2.5]").kind(), Some(Kind::Number(Number::Double)));
        assert_eq!(shape("[1e300]").kind(), Some(Kind::Number(Number::Double)));
        assert_eq!(shape(r#"["a", 1]"#).kind(), None);
        assert_eq!(shape("[null]").kind(), None);
        assert_eq!(Shape::any().kind(), None);
    }

    #[test]
    fn a_field_that_one_object_lacks_is_not_in_all() {
        let object = shape(r#"[{"a": 1, "b": "x"}, {"a": 2, "a": null}]"#).object.unwrap();
        let is_in_all = |name: &str| object.is_in_all(&object.fields[name]);
        assert!(is_in_all("a") && !is_in_all("b"));
        assert!(object.fields["a"].shape.null);
    }
}
