//! Fields that are not read: their words against `spec/words.json`, the columns of real tables, and the reading of them
//! (2.2.25 to 2.2.28, 9.7 and 9.8 of SEMANTICS.md).
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{Context, FlagSet, Flags, Time};
use serde_json::{Value as Json, json};

const NOW: Time = Time::from_millis(1_750_000_000_000);

fn set(rows: &Json) -> FlagSet {
    FlagSet::from_json(rows.to_string().as_bytes()).unwrap()
}

/// How a column of this name is read.
fn why(name: &str) -> String {
    let set = set(&json!([{"name": "a", "enabled": true, name: null}]));
    let column = set.reading().columns().iter().find(|column| column.name() == name).unwrap();
    column.why().or(column.read_as()).unwrap().to_owned()
}

#[test]
fn the_table_has_the_words_of_the_specification() {
    let written: BTreeMap<String, Vec<String>> = serde_json::from_str(include_str!("../../spec/words.json")).unwrap();
    let lists = ["gate", "beside", "prose", "strong", "aside", "share", "state", "scope", "last"];
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for list in lists {
        for word in written.get(list).unwrap() {
            let stem = match word {
                word if word.len() <= 3 => word.clone(),
                word if word.ends_with("ies") => format!("{}y", word.trim_end_matches("ies")),
                word if word.ends_with("ches") => word.trim_end_matches("es").to_owned(),
                word if word.ends_with('s') && !word.ends_with("ss") => word.trim_end_matches('s').to_owned(),
                word => word.clone(),
            };
            expected.entry(stem).or_default().insert(list.to_owned());
        }
    }
    // What is in the texts of that file: the words with their lists, and those that are idle.
    let mut texts = include_str!("../src/guard/words.rs").split("&str = \"\\").skip(1).map(|text| {
        text.split('"').next().unwrap().split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>()
    });
    let (words, idle) = (texts.next().unwrap(), texts.next().unwrap());
    assert_eq!(&idle, written.get("idle").unwrap());
    let mut table = BTreeMap::new();
    for entry in words {
        let (word, letters) = entry.split_once(':').unwrap();
        let list = |letter: char| "gbpsahtcl".find(letter).and_then(|at| lists.get(at)).unwrap();
        let own = letters.chars().map(|letter| (*list(letter)).to_owned()).collect::<BTreeSet<_>>();
        assert!(table.insert(word.to_owned(), own).is_none(), "{word} is there twice");
    }
    assert_eq!(table, expected);
    // A word in any form is at most three letters longer than its one form, and a part is looked for up to 18 letters.
    assert!(table.keys().all(|word| word.len() <= 15), "{:?}", table.keys().max_by_key(|word| word.len()));
}

#[derive(Debug, Default)]
struct Counts {
    restricting: usize,
    found: usize,
    harmless: usize,
    wrongly: Vec<&'static str>,
    missed: Vec<&'static str>,
}

/// The columns of a list: each with its mark, `!` for one that restricts and none for a harmless one, and as often as it
/// is there. One that is read counts as found.
fn counts(list: &'static str) -> Counts {
    let mut counts = Counts::default();
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let mut words = lines.flat_map(str::split_whitespace).peekable();
    while let Some(word) = words.next() {
        let times = words.next_if(|next| next.bytes().all(|byte| byte.is_ascii_digit()));
        let times: usize = times.map_or(1, |times| times.parse().unwrap());
        let name = word.trim_end_matches(['#', '=', '~', '!', '?']);
        let why = why(name);
        let is_found = !["not read", "ignored by name"].contains(&why.as_str());
        if word.ends_with('!') {
            counts.restricting += times;
            counts.found += if is_found { times } else { 0 };
            counts.missed.extend((!is_found).then_some(name));
        } else if word == name {
            counts.harmless += times;
            counts.wrongly.extend((why == "looks like a restriction").then_some(name));
        }
    }
    counts
}

#[test]
fn columns_of_real_tables_are_told_apart() {
    let census = counts(include_str!("columns/census.txt"));
    let used = counts(include_str!("columns/used.txt"));
    let later = counts(include_str!("columns/later.txt"));
    let common = counts(include_str!("columns/harmless.txt"));
    println!("{census:?}\n{used:?}\n{later:?}\n{common:?}");
    assert_eq!((census.restricting, census.found, census.harmless), (45, 45, 198));
    assert_eq!(census.wrongly, ["is_kill_switch"]);
    assert_eq!((used.restricting, used.found, used.wrongly.len()), (129, 126, 0));
    let missed = ["completedAt", "enabled_at_listing_count", "rollout_type"];
    assert_eq!(used.missed.iter().copied().collect::<BTreeSet<_>>(), missed.into());
    assert_eq!((later.restricting, later.found, later.wrongly.len()), (49, 49, 0));
    assert_eq!((common.restricting, common.harmless), (0, 294));
    assert_eq!(common.wrongly, ["disabled_at"]);
}

#[test]
fn names_are_told_apart_by_whole_words() {
    let harmless = "plan_notes updated_by2 updatedByUserId owner_role jira_ticket sort_order group_name uuid flag_id \
         role_description rollout_notes user_count email_template tracking_enabled operator_name featureId row_ids 标志 createdat \
         ticketurl sortorder nota_interna fecha_creacion creado_por descripción assigned_to lastuserid";
    let restricting = "owner_only allowed_domains min_app_version environment_id environmentID regiones rollout_percent \
         allowedRoles organization_id expires_at is_archived HTTPHosts batches_for department_ids departmentIDs VIPs_IDs empresas activaPara \
         excluidas x2Users user1 sucursales niveles permitidas target_ \
         rolloutpercentage allowedroles companyids enddate expiresat isarchived países regio\u{301}n usuários início \
         CONDICIÓN bloqueados grupos_de_usuarios solo_admins perfis visible_to available_in hidden suspendido";
    let gates = "is_active isActive enabled_by_default ENABLED global is_global feature_enabled activa visible Status \
         isactive enabledforall público lifecycle_state estado";
    for (names, expected) in [(harmless, "not read"), (restricting, "looks like a restriction"), (gates, "gate")] {
        for name in names.split_whitespace() {
            assert_eq!(why(name), expected, "{name}");
        }
    }
}

#[test]
fn values_restrict_by_the_list_of_their_words() {
    let withheld = |name: &str, value: &str| {
        let rows = format!(r#"[{{"name":"a","enabled":true,"{name}":{value}}}]"#);
        let set = FlagSet::from_json(rows.as_bytes()).unwrap();
        let resolution = set.resolve("a", &Context::new("u"), NOW);
        (resolution.reason().as_str() == "ERROR", resolution.reason().as_str() == "DISABLED")
    };
    let nothing = r#"null "" " \t" [] {} "[]" "{}" "null" false "Off" "no" "ALL" "*" ["everyone"] [" Any "]"#;
    let nothing = nothing.replace("\" \\t\"", "\"\\t\"").replace("[\" Any \"]", "[\"Any\"]");
    for name in ["canary", "beta", "tenant", "allowed", "widget_id"] {
        for value in nothing.split_whitespace() {
            assert_eq!(withheld(name, value), (false, false), "{name} {value}");
        }
        for value in [r#""x""#, "7", r#"["a"]"#, r#"["all","b"]"#, r#"{"a":1}"#, "[0]", r#""0.5""#, "-1"] {
            assert_eq!(withheld(name, value), (true, false), "{name} {value}");
        }
        let (share, scope) = (name == "canary", name == "tenant");
        for (value, restricts) in
            [("0", share), ("\"0\"", share), ("100", !share), ("\"100.0\"", !share), ("true", !scope)]
        {
            assert_eq!(withheld(name, value).0, restricts, "{name} {value}");
        }
    }
    for (value, off) in [("false", true), ("0", true), ("\"Inactive\"", true), ("null", false), ("\"EU\"", false)] {
        assert_eq!(withheld("is_active", value), (false, off), "{value}");
    }
    for value in ["archived", " Rolled Back", "Paused", "draft", "Inactivo", "archivado "] {
        assert_eq!(withheld("State", &json!(value).to_string()), (false, true), "{value}");
    }
    for value in ["live", "completed", "activo", "CA"] {
        assert_eq!(withheld("State", &json!(value).to_string()), (false, false), "{value}");
    }
    assert!(withheld("is_active", "[\"EU\"]").0 && withheld("is_active", "{\"EU\":true}").0);
    assert!(!withheld("jira_ticket", "[\"EU\"]").0);
}

#[test]
fn the_reading_has_names_counts_and_kinds_and_no_value() {
    let rows = json!([
        {"name": "a", "enabled": true, "created_at": "SECRET", "rollout_percent": 30, "jira_ticket": "SECRET"},
        {"key": "b", "name": "SECRET", "enabled": true, "rollout_percent": null, "targetPlans": ["SECRET"]},
        {"name": "c", "enabled": true, "rollout_percent": "SECRET", "is_active": 1},
        7,
    ]);
    let flags = Flags::new();
    let _ = flags.publish(set(&json!([{"name": "a", "enabled": true, "is_active": null}])));
    let report = flags.publish(set(&rows));
    let json: Json = serde_json::from_str(&report.to_json()).unwrap();
    let column = |name: &str, why: &str, rows: u32, not_empty: u32| json!({"column": name, "read_as": null, "why": why, "rows": rows, "not_empty": not_empty});
    let read =
        |name: &str, field: &str, rows: u32| json!({"column": name, "read_as": field, "rows": rows, "not_empty": rows});
    let with = |mut column: Json, withheld: u32, kinds: Json| {
        let fields = column.as_object_mut().unwrap();
        fields.insert("withheld".to_owned(), withheld.into());
        fields.insert("kinds".to_owned(), kinds);
        column
    };
    let expected = json!([
        read("key", "key", 1),
        read("name", "name", 3),
        read("enabled", "enabled", 3),
        read("targetPlans", "target_plans", 1),
        column("created_at", "ignored by name", 1, 1),
        with(column("jira_ticket", "not read", 1, 1), 0, json!(["text"])),
        with(column("rollout_percent", "looks like a restriction", 3, 2), 2, json!(["number", "text"])),
        with(column("is_active", "gate", 1, 1), 0, json!(["number"])),
    ]);
    let reading = &json["reading"];
    assert_eq!(reading["columns"], expected);
    assert_eq!((&reading["rows"], &reading["flags"], &reading["mapping"]), (&json!(4), &json!(3), &Json::Null));
    let notices: Vec<(&str, u64)> = report.reading().notices().iter().map(|one| (one.code(), one.rows())).collect();
    assert_eq!(notices, [("label", 1), ("new-column", 1), ("new-column", 3)]);
    assert!(!reading.to_string().contains("SECRET"));
    assert_eq!(serde_json::from_str::<Json>(&report.to_value().to_string()).unwrap(), json);
    let why = flags.current().explain("a", &Context::new("u"), NOW).to_string();
    assert!(why.contains("`rollout_percent` looks like a restriction and is not read, so the flag is off"), "{why}");
}

#[test]
fn what_deserves_a_look_is_noticed() {
    let codes = |rows: &Json| {
        let set = set(rows);
        set.reading().notices().iter().map(esclusa::Notice::code).collect::<Vec<_>>()
    };
    let shares = |shares: [Json; 3]| {
        json!(shares.map(|share| json!({"name": share.to_string(), "enabled": true, "rollout_percentage": share})))
    };
    assert_eq!(codes(&json!([{"name": "a"}])), ["no-switch"]);
    assert_eq!(codes(&json!([])), [] as [&str; 0]);
    assert_eq!(codes(&shares([json!(0.5), json!("1"), json!(0.25)])), ["shares-never-above-1"]);
    assert_eq!(codes(&shares([json!(0.5), json!(0), json!(0.25)])), [] as [&str; 0]);
    assert_eq!(codes(&shares([json!(0.5), json!(1.001), json!(0.25)])), [] as [&str; 0]);
    assert_eq!(codes(&json!([{"name": "a", "enabled": 1}, {"name": "a", "enabled": true}])), ["twins"]);
    assert_eq!(codes(&json!([{"name": "a", "enabled": 1, "end_date": "2026-01-01"}])), ["date-only-end"]);
    assert_eq!(codes(&json!([{"key": "a", "name": "a", "enabled": 1}])), [] as [&str; 0]);
}

#[test]
fn the_fingerprint_is_that_of_the_columns_and_how_they_are_read() {
    let of = |rows: Json| set(&rows).reading().fingerprint();
    let one = of(json!([{"name": "a", "enabled": true, "x": 1, "tier": 2}]));
    assert_eq!(one, of(json!([{"tier": null, "x": "y", "enabled": false, "name": "b"}, {"name": "c"}])));
    assert_ne!(one, of(json!([{"name": "a", "enabled": true, "x": 1}])));
    assert_ne!(
        one,
        of(json!({"esclusa": 1, "ignored": ["tier"], "flags": [{"name": "a", "enabled": true, "x": 1, "tier": 2}]}))
    );
    assert_eq!((one.len(), u32::from_str_radix(&one, 16).is_ok()), (8, true));
}

#[test]
fn a_default_of_the_store_is_noticed() {
    let flags = Flags::new();
    let rows = |environment: Option<&str>| {
        let row = |name: &str| match environment {
            Some(environment) => json!({"name": name, "enabled": true, "environment": environment}),
            None => json!({"name": name, "enabled": true}),
        };
        set(&json!([row("a"), row("b")]))
    };
    let _ = flags.publish(rows(None));
    for _ in 0..3 {
        let report = flags.publish(rows(Some("production")));
        let notices = report.reading().notices();
        assert!(notices.iter().any(|one| one.code() == "default-column" && one.rows() == 2), "{notices:?}");
        assert!(report.set_aside().iter().all(|one| !one.is_withheld() && one.kept().is_some()));
        assert!(flags.is_enabled("a", &Context::new("u")));
    }
    let report = flags.publish(rows(Some("staging")));
    assert!(report.set_aside().iter().all(esclusa::SetAside::is_withheld));
    assert!(!flags.is_enabled("a", &Context::new("u")));
}

#[test]
fn many_columns_cost_their_length() {
    let row = |count: usize| {
        let columns: Vec<String> = (0..count).map(|at| format!("\"tier_{at}\":7")).collect();
        format!("[{{\"name\":\"a\",\"enabled\":true,{0}}},{{{0},\"name\":\"b\",\"enabled\":true}}]", columns.join(","))
    };
    let time = |count: usize| {
        let row = row(count);
        let started = std::time::Instant::now();
        let flags = Flags::new();
        let _ = flags.publish(set(&json!([{"name": "a", "enabled": true}, {"name": "b", "enabled": true}])));
        let report = flags.publish(FlagSet::from_json(row.as_bytes()).unwrap());
        assert_eq!(report.reading().columns().len(), count + 2);
        // Each is new, and a default of the store.
        assert_eq!(report.reading().notices().len(), 2 * count);
        assert!(flags.is_enabled("b", &Context::new("u")));
        started.elapsed()
    };
    let (short, long) = (time(10_000), time(100_000));
    // Ten times as many take ten times as long; were they looked up one behind the other, it would be a hundred times.
    assert!(long < short * 40 + std::time::Duration::from_millis(200), "{short:?}, {long:?}");
}
