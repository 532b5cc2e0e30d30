//! The block of the log about what was understood of a snapshot (11.24 of SEMANTICS.md).

use std::fmt::Write;

use crate::error::quoted;
use crate::value::Value;

/// Names in one line of the block, and lines for columns that keep flags off.
const MAX_NAMED: usize = 20;

/// One block of text for the log, of names and counts, without a value of any row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// Whether a column keeps flags off, so that it has to be mapped, renamed or ignored.
    pub is_warning: bool,
    /// The lines, without a line break after the last.
    pub text: String,
}

/// The block for a reading (9.7) of this source; `None` if it is no reading.
///
/// ```
/// use esclusa::{FlagSet, sync::understood};
/// let set = FlagSet::from_json(br#"[{"name": "crm", "enabled": true, "rollout_percent": 5, "ticket": "A-1"}]"#)?;
/// let block = understood("flags.json", &set.reading().to_value()).unwrap();
/// assert!(block.is_warning);
/// assert_eq!(block.text.lines().next(), Some("flags.json: 1 row, 1 flag"));
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
#[must_use]
pub fn understood(source: &str, reading: &Value<'_>) -> Option<Understood> {
    let columns: Vec<Column<'_>> = reading.get("columns")?.as_list()?.iter().filter_map(Column::of).collect();
    let counted = |name: &str, what: &str| Some(count(reading.get(name)?.as_i64()?, what));
    let mapping = reading.get("mapping").and_then(Value::as_str).map(|name| format!(" by {}", path(name)));
    let mapping = mapping.unwrap_or_default();
    let mut text = format!("{source}{mapping}: {}, {}", counted("rows", "row")?, counted("flags", "flag")?);
    let named = |role: Role| columns.iter().filter(move |column| column.role == role);
    let mut line = |what: &str, names: &mut dyn Iterator<Item = String>| {
        let names: Vec<String> = names.collect();
        if let Some(shown) = names.get(..names.len().min(MAX_NAMED)).filter(|shown| !shown.is_empty()) {
            let _ = write!(text, "\n  {what:<10}{}", shown.join(", "));
            if names.len() > shown.len() {
                let _ = write!(text, " and {} more", names.len() - shown.len());
            }
        }
    };
    line("read", &mut named(Role::Read).map(Column::read));
    line("ignored", &mut named(Role::Ignored).map(|column| shown(column.name)));
    line("switch", &mut named(Role::Gate).map(|column| format!("{} (off switches its flag off)", shown(column.name))));
    for column in named(Role::Restriction).take(MAX_NAMED) {
        let rows = count(column.withheld, "row");
        let problem =
            format!("{} looks like a restriction and is set in {rows}: these flags are off", shown(column.name));
        line("NOT READ", &mut std::iter::once(problem));
    }
    let unread =
        named(Role::Unread).map(|column| format!("{} ({})", shown(column.name), count(column.not_empty, "row")));
    line("not read", &mut unread.into_iter());
    let left_out = reading.get("rows_left_out").and_then(Value::as_list).unwrap_or_default().iter();
    let mut left_out = left_out.filter_map(|one| {
        Some(format!("{} by {}", count(one.get("rows")?.as_i64()?, "row"), shown(one.get("why")?.as_str()?)))
    });
    line("left out", &mut left_out);
    for notice in reading.get("notices")?.as_list()? {
        // A switch without a flag has its own line in the log (13.14).
        if notice.get("code")?.as_str()? != "unknown-switch" {
            line("notice", &mut notice.get("problem").and_then(Value::as_str).map(str::to_owned).into_iter());
        }
    }
    let restrictions: Vec<String> = named(Role::Restriction).map(|column| column.name.to_owned()).collect();
    let is_warning = !restrictions.is_empty();
    if is_warning {
        let ignored = Value::List(restrictions.into_iter().take(MAX_NAMED).map(Value::from).collect());
        let next =
            format!("give it the name of a field that is read, map it, or write \"ignored\": {}", ignored.to_json());
        line("next", &mut std::iter::once(next));
    }
    Some(Understood { is_warning, text })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Read,
    Ignored,
    Gate,
    /// It withholds some flag.
    Restriction,
    Unread,
}

struct Column<'v> {
    name: &'v str,
    read_as: &'v str,
    role: Role,
    not_empty: i64,
    withheld: i64,
}

impl<'v> Column<'v> {
    fn of(column: &'v Value<'_>) -> Option<Self> {
        let text = |name: &str| column.get(name).and_then(Value::as_str);
        let number = |name: &str| column.get(name).and_then(Value::as_i64).unwrap_or_default();
        let withheld = number("withheld");
        let role = match (text("read_as"), text("why")) {
            (Some(_), _) => Role::Read,
            (None, Some("gate")) => Role::Gate,
            (None, Some("label" | "ignored by name" | "ignored by the document" | "ignored by the mapping")) => {
                Role::Ignored
            }
            _ if withheld > 0 => Role::Restriction,
            _ => Role::Unread,
        };
        let (name, read_as) = (text("column")?, text("read_as").unwrap_or_default());
        Some(Column { name, read_as, role, not_empty: number("not_empty"), withheld })
    }

    /// A column that is read, and the field that it is read as if the name differs.
    fn read(&self) -> String {
        if self.name == self.read_as { shown(self.name) } else { format!("{} as {}", shown(self.name), self.read_as) }
    }
}

/// A plain name as it is; any other is quoted, so that it cannot imitate a line of the log.
fn shown(name: &str) -> String {
    as_it_stands(name, 64, "_-")
}

/// The same for a file, whose path has dots, folders and an extension.
fn path(name: &str) -> String {
    as_it_stands(name, 255, "_-./\\:")
}

fn as_it_stands(name: &str, longest: usize, signs: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || signs.contains(character);
    if !name.is_empty() && name.len() <= longest && name.chars().all(is_plain) { name.to_owned() } else { quoted(name) }
}

fn count(number: i64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
