//! `esclusa fmt`: one layout for files of flags. Only white space changes; every text and number stays as it is written.

use std::path::PathBuf;

use esclusa::Value;
use jsonc_parser::ast::Value as Node;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;

/// What fits in a line of this many characters stays in one line.
const WIDTH: usize = 100;

/// Lay out files of flags in one way: only white space changes
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa fmt flags.json
  esclusa fmt --check flags/*.json
  esclusa fmt - < flags.json

Exit codes: 0 done, 1 a file is laid out otherwise (--check), 2 a file is not JSON.")]
pub struct Arguments {
    /// Files in JSON, or - for the standard input, which is printed
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Write nothing, and say which files would change
    #[arg(long)]
    pub check: bool,
    /// How the files are listed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, or is not JSON. Files before it are laid out then.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let mut changed: Vec<String> = Vec::new();
    for file in &arguments.files {
        let mut bytes = Vec::new();
        if file == "-" {
            std::io::Read::read_to_end(desk.input, &mut bytes)?;
        } else {
            bytes = std::fs::read(desk.folder.join(file))
                .map_err(|error| Trouble::new(format!("cannot read `{file}`: {error}")))?;
        }
        let text = laid_out(&bytes).map_err(|problem| Trouble::new(format!("{file}: {problem}")))?;
        if file == "-" && !arguments.check {
            desk.print(text)?;
        } else if text.as_bytes() != bytes {
            changed.push(file.clone());
            if !arguments.check {
                desk.write_file(&PathBuf::from(file), &text)?;
            }
        }
    }
    match (arguments.format, arguments.check) {
        (Format::Json, _) => desk.print(Value::from(changed.clone()).to_json() + "\n")?,
        (Format::Human, true) => changed.iter().try_for_each(|file| desk.print(format_args!("{file}\n")))?,
        (Format::Human, false) => changed.iter().try_for_each(|file| desk.say(format_args!("laid out {file}")))?,
    }
    Ok(Findings::some_if(arguments.check && !changed.is_empty()))
}

/// The text in our layout.
fn laid_out(bytes: &[u8]) -> Result<String, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The other parser accepts more than JSON, such as comments.
    Value::from_json(bytes).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let collect = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: false };
    let parsed = parse_to_ast(text, &collect, &ParseOptions::default()).map_err(|error| error.to_string())?;
    let root = parsed.value.ok_or("is empty, expected JSON")?;
    let mut layout = Layout { text, out: String::new() };
    layout.broken(&root, 0);
    layout.out.push('\n');
    Ok(layout.out)
}

struct Layout<'t> {
    text: &'t str,
    out: String,
}

impl<'t> Layout<'t> {
    /// A value, in one line if that fits behind what is there and before `after` characters more.
    fn value(&mut self, node: &Node<'_>, depth: usize, after: usize) {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        let used = self.out.get(line..).unwrap_or_default().chars().count() + after;
        match self.flat_width(node, WIDTH.saturating_sub(used)) {
            Some(_) => self.flat(node),
            None => self.broken(node, depth),
        }
    }

    /// A value with each member in a line of its own.
    fn broken(&mut self, node: &Node<'_>, depth: usize) {
        match node {
            Node::Object(object) if !object.properties.is_empty() => {
                self.out.push('{');
                for (at, property) in object.properties.iter().enumerate() {
                    self.line(at, depth + 1);
                    self.out.push_str(self.written(property.name.range()));
                    self.out.push_str(": ");
                    self.value(&property.value, depth + 1, 1);
                }
                self.close('}', depth);
            }
            Node::Array(array) if !array.elements.is_empty() => {
                self.out.push('[');
                for (at, element) in array.elements.iter().enumerate() {
                    self.line(at, depth + 1);
                    self.value(element, depth + 1, 1);
                }
                self.close(']', depth);
            }
            other => self.flat(other),
        }
    }

    fn line(&mut self, at: usize, depth: usize) {
        self.out.push_str(if at == 0 { "\n" } else { ",\n" });
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    fn close(&mut self, bracket: char, depth: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", depth));
        self.out.push(bracket);
    }

    /// A value in one line.
    fn flat(&mut self, node: &Node<'_>) {
        match node {
            Node::Object(object) => {
                self.out.push('{');
                for (at, property) in object.properties.iter().enumerate() {
                    self.out.push_str(if at == 0 { "" } else { ", " });
                    self.out.push_str(self.written(property.name.range()));
                    self.out.push_str(": ");
                    self.flat(&property.value);
                }
                self.out.push('}');
            }
            Node::Array(array) => {
                self.out.push('[');
                for (at, element) in array.elements.iter().enumerate() {
                    self.out.push_str(if at == 0 { "" } else { ", " });
                    self.flat(element);
                }
                self.out.push(']');
            }
            other => self.out.push_str(self.written(other.range())),
        }
    }

    /// How wide a value is in one line, unless it is wider than this.
    fn flat_width(&self, node: &Node<'_>, limit: usize) -> Option<usize> {
        let mut width = 2;
        let fit = |width: usize| (width <= limit).then_some(width);
        match node {
            Node::Object(object) => {
                for (at, property) in object.properties.iter().enumerate() {
                    width += self.written(property.name.range()).chars().count() + 2 + if at == 0 { 0 } else { 2 };
                    width += self.flat_width(&property.value, limit.checked_sub(width)?)?;
                }
                fit(width)
            }
            Node::Array(array) => {
                for (at, element) in array.elements.iter().enumerate() {
                    width += if at == 0 { 0 } else { 2 };
                    width += self.flat_width(element, limit.checked_sub(width)?)?;
                }
                fit(width)
            }
            other => fit(self.written(other.range()).chars().count()),
        }
    }

    fn written(&self, range: jsonc_parser::common::Range) -> &'t str {
        self.text.get(range.start..range.end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use esclusa::Value;

    use super::laid_out;

    #[test]
    fn only_white_space_changes_and_a_second_time_nothing() {
        let texts = [
            r#"[{"name":"a","enabled":true,"x":1.50e2,"y":"\u00e1"}]"#,
            r#"{"esclusa":1,"flags":[],"n":12345678901234567890123,"o":{}}"#,
            "\u{feff}[ ]",
            "\"á\"",
        ];
        for text in texts {
            let once = laid_out(text.as_bytes()).unwrap();
            let spaces = |text: &str| text.replace(['\u{feff}', ' ', '\n'], "");
            assert_eq!(spaces(text), spaces(&once));
            assert_eq!(laid_out(once.as_bytes()).unwrap(), once);
        }
    }

    #[test]
    fn what_fits_in_a_line_stays_in_one_and_what_is_longer_does_not() {
        let long = format!(r#"[{{"name":"{}","target_plans":["A","B"]}},{{"name":"b"}}]"#, "a".repeat(80));
        let text = laid_out(long.as_bytes()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert_eq!(lines.get(3), Some(&"    \"target_plans\": [\"A\", \"B\"]"));
        assert_eq!(lines.get(5), Some(&"  {\"name\": \"b\"}"));
        assert_eq!(Value::from_json(text.as_bytes()).unwrap(), Value::from_json(long.as_bytes()).unwrap());
    }

    #[test]
    fn comments_are_not_json() {
        assert!(laid_out(b"[] // flags").unwrap_err().contains("line 1"));
    }
}
