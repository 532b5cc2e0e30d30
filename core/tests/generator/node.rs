//! JSON that is about to be written: raw texts, so that a number keeps its form, in lists and objects that can be
//! changed, and fields that may stand twice.

use std::fmt;

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Raw(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A string.
pub(crate) fn text(text: &str) -> Node {
    Node::Raw(serde_json::Value::from(text).to_string())
}

/// JSON as it stands.
pub(crate) fn raw(json: &str) -> Node {
    Node::Raw(json.to_owned())
}

pub(crate) fn list(elements: impl IntoIterator<Item = Node>) -> Node {
    Node::List(elements.into_iter().collect())
}

pub(crate) fn object<const N: usize>(fields: [(&str, Node); N]) -> Node {
    Node::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl Node {
    /// Adds a field, even if there is one of that name.
    pub(crate) fn add(&mut self, name: &str, value: Node) {
        if let Node::Object(fields) = self {
            fields.push((name.to_owned(), value));
        }
    }

    /// Puts a field in the place of all of that name.
    pub(crate) fn set(&mut self, name: &str, value: Node) {
        self.take(name);
        self.add(name, value);
    }

    /// Takes every field of that name out.
    pub(crate) fn take(&mut self, name: &str) {
        if let Node::Object(fields) = self {
            fields.retain(|(field, _)| field != name);
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        match self {
            Node::Object(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The elements of a list in a field, which is put there if there is none.
    pub(crate) fn list_of(&mut self, name: &str) -> &mut Vec<Node> {
        if !matches!(self.get(name), Some(Node::List(_))) {
            self.set(name, Node::List(Vec::new()));
        }
        let Node::Object(fields) = self else { panic!("no object") };
        match fields.iter_mut().find(|(field, _)| field == name) {
            Some((_, Node::List(elements))) => elements,
            _ => panic!("no list"),
        }
    }

    /// How many places there are from which something can be taken out.
    pub(crate) fn removable(&self) -> usize {
        match self {
            Node::Raw(_) => 0,
            Node::List(elements) => elements.iter().map(|element| 1 + element.removable()).sum(),
            Node::Object(fields) => fields.iter().map(|(_, value)| 1 + value.removable()).sum(),
        }
    }

    /// Takes out what stands at one of these places.
    pub(crate) fn remove(&mut self, place: usize) {
        let mut left = place;
        self.remove_counted(&mut left);
    }

    /// Whether it was here.
    fn remove_counted(&mut self, left: &mut usize) -> bool {
        let count = match self {
            Node::Raw(_) => 0,
            Node::List(elements) => elements.len(),
            Node::Object(fields) => fields.len(),
        };
        for at in 0..count {
            if *left == 0 {
                match self {
                    Node::Raw(_) => {}
                    Node::List(elements) => drop(elements.remove(at)),
                    Node::Object(fields) => drop(fields.remove(at)),
                }
                return true;
            }
            *left -= 1;
            let inner = match self {
                Node::Raw(_) => return false,
                Node::List(elements) => &mut elements[at],
                Node::Object(fields) => &mut fields[at].1,
            };
            if inner.remove_counted(left) {
                return true;
            }
        }
        false
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Raw(text) => f.write_str(text),
            Node::List(elements) => {
                f.write_str("[")?;
                for (at, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Node::Object(fields) => {
                f.write_str("{")?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{}:{value}", if at == 0 { "" } else { "," }, serde_json::Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
        }
    }
}
