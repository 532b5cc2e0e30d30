//! The proposals and the questions.

use super::column::{InspectedColumn, Look, plain};
use super::{Proposal, Question};

/// Names of the key, besides `key` and `name`.
const KEYS: [&str; 16] = [
    "flag_key",
    "feature_key",
    "flag_name",
    "feature_name",
    "feature",
    "flag",
    "slug",
    "code",
    "identifier",
    "clave",
    "codigo",
    "identificador",
    "chave",
    "nombre_clave",
    "toggle_key",
    "toggle_name",
];
/// Names for people; the last two are keys where there is no other.
const LABELS: [&str; 9] = ["name", "display_name", "title", "label", "titulo", "etiqueta", "rotulo", "nombre", "nome"];
const ENDS: [&str; 22] = [
    "expires_at",
    "expiry",
    "expiration",
    "expiration_date",
    "expires_on",
    "valid_until",
    "active_until",
    "ends_at",
    "end_time",
    "ends_on",
    "effective_to",
    "effective_until",
    "fecha_fin",
    "fin",
    "hasta",
    "vence",
    "vence_el",
    "fecha_vencimiento",
    "vencimiento",
    "valido_hasta",
    "valido_ate",
    "data_fim",
];
const STARTS: [&str; 15] = [
    "valid_from",
    "active_from",
    "starts_at",
    "start_time",
    "starts_on",
    "effective_from",
    "activation_date",
    "fecha_inicio",
    "inicio",
    "desde",
    "valido_desde",
    "data_inicio",
    "vigente_desde",
    "activates_at",
    "available_from",
];
const GONE: [&str; 16] = [
    "archived_at",
    "is_archived",
    "archived",
    "deleted_at",
    "is_deleted",
    "deleted",
    "retired_at",
    "archivado",
    "archivado_en",
    "eliminado",
    "eliminado_en",
    "borrado_en",
    "arquivado",
    "arquivado_em",
    "excluido_em",
    "discontinued_at",
];
/// Words in columns by which rows or callers are distinguished, with their usual unit or list.
const UNITS: [(&str, &str, &str); 44] = [
    ("tenant", "company", "target_companies"),
    ("organization", "company", "target_companies"),
    ("organisation", "company", "target_companies"),
    ("org", "company", "target_companies"),
    ("orgs", "company", "target_companies"),
    ("company", "company", "target_companies"),
    ("companies", "company", "target_companies"),
    ("account", "company", "target_companies"),
    ("accounts", "company", "target_companies"),
    ("tenants", "company", "target_companies"),
    ("workspace", "company", "target_companies"),
    ("business", "company", "target_companies"),
    ("operator", "company", "target_companies"),
    ("empresa", "company", "target_companies"),
    ("empresas", "company", "target_companies"),
    ("firm", "company", "target_companies"),
    ("clinic", "company", "target_companies"),
    ("school", "company", "target_companies"),
    ("sucursal", "company", "target_companies"),
    ("user", "user", "target_users"),
    ("users", "user", "target_users"),
    ("usuario", "user", "target_users"),
    ("usuarios", "user", "target_users"),
    ("person", "user", "target_users"),
    ("member", "user", "target_users"),
    ("username", "user", "target_users"),
    ("whitelist", "user", "target_users"),
    ("customer", "user", "target_users"),
    ("role", "role", "target_roles"),
    ("roles", "role", "target_roles"),
    ("rol", "role", "target_roles"),
    ("papel", "role", "target_roles"),
    ("plan", "plan", "target_plans"),
    ("plans", "plan", "target_plans"),
    ("planes", "plan", "target_plans"),
    ("planos", "plan", "target_plans"),
    ("country", "region", "target_regions"),
    ("countries", "region", "target_regions"),
    ("region", "region", "target_regions"),
    ("regions", "region", "target_regions"),
    ("pais", "region", "target_regions"),
    ("paises", "region", "target_regions"),
    ("tier", "tier", "require.tier"),
    ("tiers", "tier", "require.tier"),
];

/// Words in lists of excluded callers.
const OUT: [&str; 13] = [
    "disabled",
    "excluded",
    "exclude",
    "denied",
    "deny",
    "blocked",
    "block",
    "blacklist",
    "blacklisted",
    "denylist",
    "excluidos",
    "excluidas",
    "bloqueados",
];

struct Proposing<'c> {
    columns: &'c [InspectedColumn],
    taken: Vec<&'c str>,
    proposals: Vec<Proposal>,
    questions: Vec<Question>,
}

pub(super) fn propose(columns: &[InspectedColumn]) -> (Vec<Proposal>, Vec<Question>) {
    let mut proposing = Proposing { columns, taken: Vec::new(), proposals: Vec::new(), questions: Vec::new() };
    proposing.key();
    proposing.switch();
    proposing.share();
    for (entry, names) in [("start_date", &STARTS[..]), ("end_date", &ENDS[..])] {
        proposing.time(entry, names);
    }
    proposing.gone();
    proposing.others();
    proposing.ignored();
    (proposing.proposals, proposing.questions)
}

/// A name in TOML's form.
fn quoted(name: &str) -> String {
    let escaped = name.chars().map(|character| match character {
        '"' | '\\' => format!("\\{character}"),
        other if other.is_control() => format!("\\u{:04X}", u32::from(other)),
        other => other.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

impl<'c> Proposing<'c> {
    fn native(&self, field: &str) -> Option<&'c InspectedColumn> {
        self.columns.iter().find(|column| column.look == Look::Native && plain(&column.name) == field)
    }

    fn free(&self) -> Vec<&'c InspectedColumn> {
        let is_free = |column: &&InspectedColumn| {
            !matches!(column.look, Look::Native | Look::Ignored) && !self.taken.contains(&column.name.as_str())
        };
        self.columns.iter().filter(is_free).collect()
    }

    fn named(&self, names: &[&str]) -> Vec<&'c InspectedColumn> {
        self.free().into_iter().filter(|column| names.contains(&column.plain_name().as_str())).collect()
    }

    fn propose(&mut self, column: &'c InspectedColumn, line: String, reason: &str) {
        self.taken.push(&column.name);
        self.proposals.push(Proposal { line, reason: reason.to_owned() });
    }

    fn ask(&mut self, columns: &[&'c InspectedColumn], question: String, answers: &[(String, &str)]) {
        self.taken.extend(columns.iter().map(|column| column.name.as_str()));
        let answers =
            answers.iter().map(|(line, reason)| Proposal { line: line.clone(), reason: (*reason).to_owned() });
        self.questions.push(Question { question, answers: answers.collect() });
    }

    /// Proposes the key if only one column can be it.
    fn key(&mut self) {
        let is_key = |column: &&InspectedColumn| {
            // A schema has no rows.
            let fits = column.is_filled() && column.is_unique && !column.has_spaces && column.not_empty == column.rows;
            fits || column.rows == 0
        };
        let native = self.native("key").or(self.native("name"));
        let mut found: Vec<&InspectedColumn> = self.named(&KEYS).into_iter().filter(is_key).collect();
        if found.is_empty() && native.is_none() {
            found = self.named(&["nombre", "nome", "id"]).into_iter().filter(is_key).collect();
        }
        if self.native("key").is_none() {
            let name_is_a_label = native.is_none_or(|name| name.has_spaces || !name.is_unique);
            match found.as_slice() {
                [key] if name_is_a_label => {
                    let line = format!("name = {}", quoted(&key.name));
                    self.propose(key, line, "its values are unique and have no spaces, so they can be keys");
                }
                [key] => {
                    let answers = [
                        (format!("name = {}", quoted(&key.name)), "the app asks for flags by this column"),
                        (format!("ignore = [{}]", quoted(&key.name)), "the app asks for flags by `name`"),
                    ];
                    self.ask(&[key], format!("Is the key of a flag in `{}`, or in `name`?", key.name), &answers);
                }
                _ if native.is_none() => self.ask_for_key(),
                _ => {}
            }
        }
        let labels = self.named(&LABELS);
        if let [label] = labels.as_slice() {
            let line = format!("label = {}", quoted(&label.name));
            self.propose(label, line, "it is a name for people beside the key");
        }
    }

    fn ask_for_key(&mut self) {
        let mut keys = self.named(&KEYS);
        let is_text = |column: &&InspectedColumn| {
            column.plain_name() == "id"
                && column.is_filled()
                && column.all_texts
                && column.is_unique
                && !column.has_spaces
        };
        keys.extend(self.columns.iter().find(is_text));
        let answers: Vec<(String, &str)> =
            keys.iter().map(|key| (format!("name = {}", quoted(&key.name)), "this column")).collect();
        let why = match keys.first() {
            Some(key) if !key.is_unique => " Its values repeat: several rows are of one flag.",
            _ => "",
        };
        self.ask(&keys, format!("Which column holds the key by which the app asks for a flag?{why}"), &answers);
    }

    fn switch(&mut self) {
        if self.native("enabled").is_some() {
            return;
        }
        let gates: Vec<&InspectedColumn> = self.free().into_iter().filter(|column| column.look == Look::Gate).collect();
        match gates.as_slice() {
            [gate] if gate.is_filled() && gate.all_switches => {
                let line = format!("enabled = {}", quoted(&gate.name));
                self.propose(gate, line, "it is the only switch, and each of its values says on or off");
            }
            [] => {
                let values: Vec<&InspectedColumn> =
                    self.named(&["value", "valor", "flag_value", "status", "flag_status"]);
                let mut answers: Vec<(String, &str)> =
                    values.iter().map(|value| (format!("enabled = {}", quoted(&value.name)), "this column")).collect();
                answers.push(("enabled = { const = true }".to_owned(), "a row means on"));
                self.ask(&values, "Which column says whether a flag is on?".to_owned(), &answers);
            }
            gates => {
                let names: Vec<String> = gates.iter().map(|gate| quoted(&gate.name)).collect();
                let mut answers =
                    vec![(format!("enabled = {{ all = [{}] }}", names.join(", ")), "all of them must say on")];
                answers.extend(names.iter().map(|name| (format!("enabled = {name}"), "this one alone")));
                self.ask(gates, format!("Which of {} says whether a flag is on?", names.join(", ")), &answers);
            }
        }
    }

    fn share(&mut self) {
        let is_share = |column: &&InspectedColumn| column.look == Look::Share;
        let shares: Vec<&InspectedColumn> = self.free().into_iter().filter(is_share).collect();
        let numbers: Vec<&InspectedColumn> = shares.iter().copied().filter(|share| share.numbers.is_some()).collect();
        let [share] = numbers.as_slice() else { return };
        if self.native("rollout_percentage").is_some() {
            return;
        }
        let name = quoted(&share.name);
        match share.numbers {
            Some((least, most)) if least >= 0.0 && most <= 100.0 && most > 1.0 => {
                let line = format!("rollout_percentage = {name}");
                self.propose(share, line, "its values are numbers from 0 to 100, and some are above 1");
            }
            _ => {
                let answers = [
                    (format!("rollout_percentage = {name}"), "100 is everybody"),
                    (format!("rollout_percentage = {{ column = {name}, of = 1 }}"), "1 is everybody"),
                ];
                self.ask(&[share], format!("What is everybody in `{}`?", share.name), &answers);
            }
        }
    }

    fn time(&mut self, entry: &str, names: &[&str]) {
        if self.native(entry).is_some() {
            return;
        }
        let times: Vec<&InspectedColumn> = self.named(names).into_iter().filter(|column| column.all_times).collect();
        let [time] = times.as_slice() else { return };
        let name = quoted(&time.name);
        if entry == "end_date" && time.is_filled() && time.all_midnight {
            let answers = [
                (format!("end_date = {name}"), "the flag ends when that day begins"),
                (format!("end_date = {{ column = {name}, whole_day = true }}"), "the flag ends when that day ends"),
            ];
            return self.ask(&[time], format!("Does the day in `{}` still count?", time.name), &answers);
        }
        self.propose(time, format!("{entry} = {name}"), "each of its values is a time");
    }

    fn gone(&mut self) {
        let gone: Vec<&InspectedColumn> =
            self.named(&GONE).into_iter().filter(|column| column.all_times || column.all_switches).collect();
        if gone.is_empty() {
            return;
        }
        let names: Vec<String> = gone.iter().map(|column| quoted(&column.name)).collect();
        self.taken.extend(gone.iter().map(|column| column.name.as_str()));
        let reason = "a row with such a value is no longer in use".to_owned();
        self.proposals.push(Proposal { line: format!("off_when = [{}]", names.join(", ")), reason });
    }

    /// All other columns that look like a restriction.
    fn others(&mut self) {
        for column in self.free().into_iter().filter(|column| matches!(column.look, Look::Share | Look::Restriction)) {
            let (name, plain) = (quoted(&column.name), column.plain_name());
            let words: Vec<&str> = plain.split('_').collect();
            let unit = UNITS.iter().find(|(word, ..)| words.contains(word));
            let ignore = (format!("ignore = [{name}]"), "it restricts nobody");
            if words
                .iter()
                .any(|word| matches!(*word, "environment" | "environments" | "env" | "entorno" | "ambiente" | "stage"))
            {
                let line = format!("counts = [{{ column = {name}, is = [\"all\", \"$environment\"] }}]");
                let answers = [(line, "a row counts in its own environment only"), ignore];
                self.ask(&[column], format!("Do rows of `{}` count in one environment only?", column.name), &answers);
            } else if column.has_objects {
                let line = format!("conditions = {{ column = {name}, shape = \"tests\" }}");
                self.ask(
                    &[column],
                    format!("What does the JSON in `{}` mean?", column.name),
                    &[(line, "see M20 to M24"), ignore],
                );
            } else if let Some((_, unit, list)) = unit {
                self.unit(
                    column,
                    &name,
                    (unit, list),
                    column.has_lists || words.last().is_some_and(|word| word.ends_with('s')),
                );
            } else {
                let off = (format!("off_when = [{name}]"), "a flag with a value there is off for everybody");
                self.ask(&[column], format!("Whom does `{}` keep out?", column.name), &[off, ignore]);
            }
        }
    }

    fn unit(&mut self, column: &'c InspectedColumn, name: &str, (unit, list): (&str, &str), is_list: bool) {
        let ignore = (format!("ignore = [{name}]"), "it restricts nobody");
        if !is_list {
            let line = format!("fold = {{ by = [{{ column = {name}, as = \"{unit}\" }}] }}");
            let question = format!("Is a row with `{}` for that {unit} alone?", column.name);
            return self.ask(
                &[column],
                question,
                &[(line, "the row speaks for that one, an empty value for everybody"), ignore],
            );
        }
        let column_of = format!("{{ column = {name}, split = \",\" }}");
        let plain = column.plain_name();
        let keeps_out = plain.split('_').any(|word| OUT.contains(&word));
        if let (true, "user" | "company") = (keeps_out, unit) {
            let kind = if unit == "user" { "users" } else { "companies" };
            let line = format!("overrides.off.{kind} = {column_of}");
            let question = format!("Does `{}` say who is out?", column.name);
            return self.ask(&[column], question, &[(line, "these are out whatever the share says"), ignore]);
        }
        // TOML allows an entry once: a second list is a condition in addition.
        let entry = if self.asked_for(list) { format!("require.{unit}") } else { list.to_owned() };
        if keeps_out || self.asked_for(&entry) {
            let off = (format!("off_when = [{name}]"), "a flag with a value there is off for everybody");
            return self.ask(&[column], format!("Whom does `{}` keep out?", column.name), &[off, ignore]);
        }
        let restricts = (format!("{entry} = {column_of}"), "only these are in");
        let question = format!("Does `{}` restrict, or are these in besides the share?", column.name);
        let besides = |kind: &str| {
            (format!("overrides.on.{kind} = {{ column = {name}, split = \",\" }}"), "these are in besides the share")
        };
        match unit {
            "user" => self.ask(&[column], question, &[restricts, besides("users"), ignore]),
            "company" => self.ask(&[column], question, &[restricts, besides("companies"), ignore]),
            _ => self.ask(&[column], format!("Does `{}` say who is in?", column.name), &[restricts, ignore]),
        }
    }

    /// Whether an answer gives this entry already.
    fn asked_for(&self, entry: &str) -> bool {
        let mut answers = self.questions.iter().flat_map(|question| &question.answers);
        self.native(entry).is_some() || answers.any(|answer| answer.line.starts_with(&format!("{entry} = ")))
    }

    fn ignored(&mut self) {
        let is_prose = |column: &&InspectedColumn| column.look == Look::Prose;
        let names: Vec<String> = self.free().into_iter().filter(is_prose).map(|column| quoted(&column.name)).collect();
        if !names.is_empty() {
            let reason = "they tell about the flag, and nothing of callers".to_owned();
            self.proposals.push(Proposal { line: format!("ignore = [{}]", names.join(", ")), reason });
        }
    }
}
