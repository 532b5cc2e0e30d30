//! The reports after the rows were read: violations at their columns, and the columns themselves.

use std::borrow::Cow;
use std::collections::HashMap;

use esclusa::{Column, Violation};

use crate::conditions::TARGETS;
use crate::entries::{From, Text};
use crate::error::quoted;
use crate::mapping::Plan;
use crate::native::{FIELDS, Note};
use crate::row::Row;

/// The origin of a flag.
#[derive(Clone, Debug)]
pub(crate) struct Origin<'v> {
    pub(crate) row: usize,
    /// The field that it was, if each field of a column is a flag.
    pub(crate) field: Option<String>,
    pub(crate) key: Cow<'v, str>,
}

/// Finds the column of a violation.
pub(crate) struct Places<'p, 'v> {
    pub(crate) prefix: String,
    pub(crate) origins: &'p [Origin<'v>],
    pub(crate) notes: &'p HashMap<usize, Vec<Note>>,
    /// The columns by the fields that they become.
    pub(crate) columns: HashMap<&'static str, String>,
    pub(crate) plan: &'p Plan,
}

impl Places<'_, '_> {
    /// The same violation at the column of the row, with the flag's key.
    pub(crate) fn restate(&self, violation: Violation) -> Violation {
        let mut steps = violation.place().splitn(4, '/').skip(1);
        let flag = steps.next().and_then(|step| step.parse::<usize>().ok());
        let Some((number, origin)) = flag.and_then(|number| Some((number, self.origins.get(number)?))) else {
            return violation;
        };
        let (field, rest) = (steps.next(), steps.next());
        let mut place = format!("{}/{}", self.prefix, origin.row);
        if let (Some(field), Some(column)) = (&origin.field, &self.plan.name) {
            place.extend(["/", &escaped(&self.plan.columns.label(column)), "/", &escaped(field)]);
        }
        let mut problem = violation.problem().to_owned();
        if let Some(field) = field {
            let of_field = |note: &&Note| FIELDS.get(note.field) == Some(&field);
            let note = self.notes.get(&number).and_then(|notes| notes.iter().find(of_field));
            match (note, self.columns.get(field)) {
                (Some(note), _) => {
                    place.extend(["/", &escaped(&note.column)]);
                    problem = note.problem.clone().unwrap_or(problem);
                    if note.problem.is_none() {
                        place.extend(rest.map(|rest| format!("/{rest}")));
                    }
                }
                (None, column) => {
                    place.extend(["/", &column.map_or(Cow::Borrowed(field), |column| escaped(column).into())]);
                    place.extend(rest.map(|rest| format!("/{rest}")));
                }
            }
        }
        if !origin.key.is_empty() {
            problem = format!("{problem} (flag {})", quoted(&origin.key));
        }
        Violation::new(place, violation.code(), problem)
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Plan {
    /// The fields that have a single column, with that column.
    pub(crate) fn columns_of_fields(&self) -> HashMap<&'static str, String> {
        let mut fields = HashMap::new();
        let mut add = |field: &'static str, column: Option<&crate::columns::Column>| {
            if let Some(column) = column {
                fields.insert(field, self.columns.label(column));
            }
        };
        add("name", self.name.as_ref());
        add("status", self.status.as_ref().map(|status| &status.column));
        add("rollout_percentage", self.share.as_ref().map(|share| &share.column));
        for (target, name) in self.targets.iter().zip(TARGETS) {
            add(name, target.as_ref().map(|target| &target.column));
        }
        add("start_date", self.start.as_ref().map(|time| &time.column));
        add("end_date", self.end.as_ref().map(|time| &time.column));
        for (text, name) in [(&self.bucket_by, "bucket_by"), (&self.salt, "salt")] {
            if let Some(Text::Column(column)) = text {
                add(name, Some(column));
            }
        }
        add("variants", self.variants.as_ref().map(|variants| &variants.column));
        add("variants", self.value.as_ref().map(|value| &value.column));
        add("rules", self.conditions.as_ref().map(|conditions| &conditions.column));
        if let Some(From::All(columns)) = self.enabled.as_ref().map(|switch| &switch.from) {
            add("enabled", columns.first());
        }
        fields
    }

    /// What each column is read as, by its index.
    fn roles(&self) -> HashMap<usize, (Option<&'static str>, Option<&'static str>)> {
        let mut roles = HashMap::new();
        let mut add = |role: &'static str, column: Option<&crate::columns::Column>| {
            if let Some(column) = column {
                roles.entry(column.root).or_insert((Some(role), None));
            }
        };
        add("name", self.name.as_ref());
        for (switch, role) in [(&self.enabled, "enabled"), (&self.default, "default")] {
            if let Some(From::All(columns)) = switch.as_ref().map(|switch| &switch.from) {
                columns.iter().for_each(|column| add(role, Some(column)));
            }
        }
        add("status", self.status.as_ref().map(|status| &status.column));
        add("rollout_percentage", self.share.as_ref().map(|share| &share.column));
        for (target, name) in self.targets.iter().zip(TARGETS) {
            add(name, target.as_ref().map(|target| &target.column));
        }
        for list in self.overrides.iter().flatten() {
            add("overrides", Some(&list.column));
        }
        for (_, list) in &self.require {
            add("require", Some(&list.column));
        }
        add("start_date", self.start.as_ref().map(|time| &time.column));
        add("end_date", self.end.as_ref().map(|time| &time.column));
        for (text, name) in [(&self.bucket_by, "bucket_by"), (&self.salt, "salt")] {
            if let Some(Text::Column(column)) = text {
                add(name, Some(column));
            }
        }
        self.counts.iter().for_each(|counts| add("counts", Some(&counts.column)));
        add("variants", self.variants.as_ref().map(|variants| &variants.column));
        if let Some(value) = &self.value {
            add("value", Some(&value.column));
            add("value", value.kind.as_ref());
        }
        add("conditions", self.conditions.as_ref().map(|conditions| &conditions.column));
        if let Some(fold) = &self.fold {
            fold.by.iter().for_each(|by| add("fold", Some(&by.column)));
            if let Some(kind) = &fold.kind {
                add("fold", Some(&kind.column));
                add("fold", Some(&kind.id));
            }
            add("fold", fold.latest.as_ref());
        }
        for side in &self.side {
            add("side", side.column.as_ref());
            add("side", side.to.as_ref());
        }
        self.off_when.iter().for_each(|item| add("off_when", Some(&item.column)));
        if let Some(label) = &self.label {
            roles.insert(label.root, (None, Some("label")));
        }
        roles.extend(self.ignored.iter().map(|root| (*root, (None, Some("ignored by the mapping")))));
        roles
    }
}

/// The columns that the mapping reads or ignores, and those that are fields by their own names.
pub(crate) fn columns(plan: &Plan, row: &Row<'_, '_>) -> Vec<Column> {
    let roles = plan.roles();
    let named = plan.columns.names.iter().zip(&row.counts).enumerate().map(|(root, (name, count))| {
        let role = roles.get(&root).copied().unwrap_or_default();
        Column::mapped(name.clone(), role, (count.rows, count.not_empty))
    });
    let mut columns: Vec<Column> = named.filter(|column| column.rows() > 0).collect();
    for (field, (name, count)) in FIELDS.into_iter().zip(&row.natives) {
        if count.rows > 0 {
            columns.push(Column::mapped(name.clone(), (Some(field), None), (count.rows, count.not_empty)));
        }
    }
    if row.label.rows > 0 {
        columns.push(Column::mapped("name".to_owned(), (None, Some("label")), (row.label.rows, row.label.not_empty)));
    }
    columns
}
