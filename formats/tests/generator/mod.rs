//! Random mappings with rows that mostly fit them, and now and then do not.

#![allow(dead_code, reason = "each test needs a part")]

use fastrand::Rng;
use serde_json::{Map, Value as Json, json};

pub(crate) struct Case {
    pub(crate) mapping: Json,
    pub(crate) rows: String,
}

pub(crate) const CALLERS: [&str; 6] = [
    r#"{}"#,
    r#"{"user": 3, "company": "c1", "plan": "PRO", "role": "admin", "region": "CO", "tier": "gold"}"#,
    r#"{"user": "u1", "company": 8, "plan": "FREE", "roles": ["admin", "guest"], "region": "MX", "tier": 5}"#,
    r#"{"user": "u2", "plan": "PRO", "tier": true, "seats": 12}"#,
    r#"{"company": "c1", "region": "CO", "seats": "12"}"#,
    r#"{"user": true, "role": "guest"}"#,
];

/// What columns hold, by what reads them.
#[derive(Clone, Copy)]
enum Kind {
    Switch,
    Share,
    List,
    Time,
    Id,
    Word,
    Environment,
    Variants,
    Served,
    Tests,
    Lists,
    Object,
    Anything,
}

impl Case {
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut maker = Maker { rng: &mut rng, columns: Vec::new(), mapping: Map::new() };
        maker.mapping();
        let Maker { columns, mapping, .. } = maker;
        let side = mapping.get("side").cloned();
        let rows = rows(&mut rng, &columns, mapping.get("enabled").is_some());
        let text = match side {
            Some(side) if side[0].get("table").is_some() => {
                let others: Vec<Json> = (0..rng.usize(0..4)).map(|_| side_row(&mut rng)).collect();
                format!(r#"{{"esclusa":1,"tables":{{"flags":{rows},"side":{}}}}}"#, Json::from(others))
            }
            _ => rows,
        };
        Case { mapping: Json::Object(mapping), rows: text }
    }

    /// What the reference reads.
    pub(crate) fn line(&self) -> String {
        json!({"mapping": self.mapping, "parameters": {"environment": "production"}, "rows": self.rows}).to_string()
    }
}

struct Maker<'r> {
    rng: &'r mut Rng,
    columns: Vec<(String, Kind, bool)>,
    mapping: Map<String, Json>,
}

impl Maker<'_> {
    fn chance(&mut self, of: u32) -> bool {
        self.rng.u32(0..of) == 0
    }

    /// A column of a kind, by its name or with `at`.
    fn column(&mut self, kind: Kind) -> Map<String, Json> {
        let name = format!("c{}", self.columns.len());
        let walks = self.chance(6);
        self.columns.push((name.clone(), kind, walks));
        let mut entry = Map::new();
        entry.insert("column".to_owned(), name.into());
        if walks {
            entry.insert("at".to_owned(), if self.rng.bool() { json!("in") } else { json!(["in"]) });
        }
        entry
    }

    fn entry(&mut self, kind: Kind) -> Json {
        let mut entry = self.column(kind);
        match kind {
            Kind::Switch => {
                if self.chance(3) {
                    entry.insert("invert".to_owned(), self.rng.bool().into());
                }
                if self.chance(3) {
                    entry.insert("on".to_owned(), json!(["go", 5]));
                }
                if self.chance(4) {
                    entry.insert("null".to_owned(), json!("on"));
                }
            }
            Kind::Share => {
                if self.rng.bool() {
                    let of = [1, 100, 1000, 10_000][self.rng.usize(0..4)];
                    entry.insert("of".to_owned(), of.into());
                }
                if self.chance(3) {
                    entry.insert("null".to_owned(), json!("nobody"));
                }
            }
            Kind::List => {
                if self.rng.bool() {
                    entry.insert("split".to_owned(), json!(","));
                }
                if self.chance(4) {
                    entry.insert("keys".to_owned(), true.into());
                }
            }
            Kind::Time => {
                if self.chance(3) {
                    entry.insert("zone".to_owned(), json!("-05:00"));
                }
                if self.chance(3) {
                    entry.insert("unit".to_owned(), json!("s"));
                }
            }
            _ => {}
        }
        Json::Object(entry)
    }

    fn put(&mut self, name: &str, kind: Kind, of: u32) {
        if self.chance(of) {
            let entry = self.entry(kind);
            self.mapping.insert(name.to_owned(), entry);
        }
    }

    fn mapping(&mut self) {
        self.mapping.insert("esclusa_mapping".to_owned(), 1.into());
        self.put("enabled", Kind::Switch, 2);
        self.put("default", Kind::Switch, 4);
        self.put("rollout_percentage", Kind::Share, 3);
        for name in ["target_plans", "target_roles", "target_companies", "target_regions", "target_users"] {
            self.put(name, Kind::List, 6);
        }
        self.put("start_date", Kind::Time, 6);
        self.put("end_date", Kind::Time, 6);
        if self.chance(5) {
            let mut status = self.column(Kind::Word);
            status.insert("words".to_owned(), json!({"gone": "rolled_back", "ga": "completed"}));
            self.mapping.insert("status".to_owned(), Json::Object(status));
        }
        if self.chance(5) {
            let (plain, is) = (self.column(Kind::Switch), self.column(Kind::Word));
            let mut is = is;
            is.insert("is".to_owned(), json!(["gone", "draft"]));
            self.mapping.insert("off_when".to_owned(), json!([plain, is]));
        }
        if self.chance(5) {
            let users = self.column(Kind::List);
            let off = self.column(Kind::List);
            self.mapping.insert("overrides".to_owned(), json!({"on": {"users": users}, "off": {"companies": off}}));
        }
        if self.chance(5) {
            let tier = self.entry(Kind::List);
            self.mapping.insert("require".to_owned(), json!({"tier": tier}));
        }
        if self.chance(5) {
            let mut counts = self.column(Kind::Environment);
            counts.insert("is".to_owned(), json!(["all", "$environment"]));
            self.mapping.insert("counts".to_owned(), json!([counts]));
        }
        self.served();
        self.conditions();
        self.several();
        if self.chance(8) {
            self.columns.push(("note".to_owned(), Kind::Anything, false));
        }
        if self.chance(12) {
            self.columns.push(("allowed_things".to_owned(), Kind::List, false));
        }
        if self.chance(30) {
            self.mapping.insert("colour".to_owned(), 1.into());
        }
    }

    fn served(&mut self) {
        if self.chance(5) {
            let mut variants = self.column(Kind::Variants);
            let shape = ["weights", "values", "list", "native"][self.rng.usize(0..4)];
            variants.insert("shape".to_owned(), shape.into());
            if matches!(shape, "weights" | "list") && self.rng.bool() {
                variants.insert("rest".to_owned(), json!("off"));
            }
            self.mapping.insert("variants".to_owned(), Json::Object(variants));
        } else if self.chance(5) {
            let mut value = self.column(Kind::Served);
            if self.rng.bool() {
                let kind = self.column(Kind::Word);
                value.insert("kind".to_owned(), Json::Object(kind));
            }
            self.mapping.insert("value".to_owned(), Json::Object(value));
        }
    }

    fn conditions(&mut self) {
        if self.chance(4) {
            let mut tests = self.column(Kind::Tests);
            tests.insert("shape".to_owned(), json!("tests"));
            tests.insert("join".to_owned(), if self.rng.bool() { json!("any") } else { json!(["any", "all"]) });
            self.mapping.insert("conditions".to_owned(), Json::Object(tests));
        } else if self.chance(5) {
            let mut lists = self.column(Kind::Lists);
            lists.insert("shape".to_owned(), json!("lists"));
            lists.insert(
                "fields".to_owned(),
                json!({"tiers": "require.tiers", "vip": {"entry": "overrides.on.companies", "split": ","}}),
            );
            if self.mapping.get("target_plans").is_none() {
                lists["fields"]["plans"] = json!("target_plans");
            }
            self.mapping.insert("conditions".to_owned(), Json::Object(lists));
        }
    }

    /// `fold` and `side`.
    fn several(&mut self) {
        if self.chance(3) {
            let units = ["user", "company", "plan", "role", "tier"];
            let many = 1 + usize::from(self.chance(3));
            let first = self.rng.usize(0..units.len());
            let by = (0..many).map(|at| {
                let mut by = self.column(Kind::Id);
                by.insert("as".to_owned(), units[(first + at) % units.len()].into());
                Json::Object(by)
            });
            let by: Vec<Json> = by.collect();
            let mut fold = json!({"by": by});
            if self.chance(3) {
                fold["general"] = json!(["*"]);
            }
            if self.chance(4) {
                fold["without_general"] = json!("on");
            }
            if self.chance(4) {
                let latest = self.column(Kind::Share);
                fold["latest"] = Json::Object(latest);
            }
            self.mapping.insert("fold".to_owned(), fold);
        }
        if self.chance(5) {
            let unit = ["user", "company", "plan"][self.rng.usize(0..3)];
            let side = if self.rng.bool() {
                let mut side = json!({"table": "side", "flag": "flag", "as": unit, "id": "id", "enabled": "is_on"});
                if self.rng.bool() {
                    side["until"] = json!("until");
                }
                if self.chance(3) {
                    side["from"] = json!({"column": "since", "zone": "-05:00"});
                }
                side
            } else {
                let mut side = self.column(Kind::Object);
                side.insert("as".to_owned(), unit.into());
                Json::Object(side)
            };
            self.mapping.insert("side".to_owned(), json!([side]));
        }
    }
}

fn side_row(rng: &mut Rng) -> Json {
    let on = one(rng, &[json!(true), json!(false), json!(null), json!("perhaps")]);
    let flag = one(rng, &[json!("a"), json!("b"), json!("z")]);
    let [since, until] = [(); 2].map(|()| if rng.bool() { Json::Null } else { value(rng, Kind::Time) });
    json!({"flag": flag, "id": value(rng, Kind::Id), "is_on": on, "since": since, "until": until})
}

fn rows(rng: &mut Rng, columns: &[(String, Kind, bool)], is_mapped: bool) -> String {
    let enabled = if is_mapped { 0 } else { rng.u32(1..4) };
    let row = |rng: &mut Rng, at: usize| {
        // Few keys, so that several rows have one; rarely none.
        let name = if rng.u32(0..20) == 0 { json!(7) } else { ["a", "b", "c"][rng.usize(0..3)].into() };
        let mut fields = vec![("name".to_owned(), name)];
        if enabled > 1 || (enabled == 1 && at == 0) {
            fields
                .push(("enabled".to_owned(), if rng.u32(0..8) == 0 { value(rng, Kind::Switch) } else { json!(true) }));
        }
        for (name, kind, walks) in columns {
            let inner = value(rng, *kind);
            let whole = match (walks, rng.u32(0..6)) {
                (false, _) => inner,
                (true, 0) => inner,
                (true, 1) => json!({"in": inner, "tenant": "t"}),
                (true, 2) => json!({"in": inner}).to_string().into(),
                (true, _) => json!({"in": inner}),
            };
            fields.push((name.clone(), whole.clone()));
            if rng.u32(0..150) == 0 {
                fields.push((name.clone(), whole));
            }
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}:{value}", Json::from(name.as_str()))).collect();
        format!("{{{}}}", fields.join(","))
    };
    let count = rng.usize(1..6);
    format!("[{}]", (0..count).map(|at| row(rng, at)).collect::<Vec<_>>().join(","))
}

fn one(rng: &mut Rng, values: &[Json]) -> Json {
    values[rng.usize(0..values.len())].clone()
}

fn value(rng: &mut Rng, kind: Kind) -> Json {
    if rng.u32(0..25) == 0 {
        return anything(rng);
    }
    match kind {
        Kind::Switch => one(
            rng,
            &[
                json!(true),
                json!(true),
                json!(false),
                json!("Yes"),
                json!("off "),
                json!("go"),
                json!(5),
                json!(0),
                json!(null),
                json!("perhaps"),
            ],
        ),
        Kind::Share => one(
            rng,
            &[
                json!(0),
                json!(0.29),
                json!(1),
                json!(33.333_333_333_333_336),
                json!(50),
                json!("12.5%"),
                json!("100"),
                json!(100.001),
                json!(1000),
                json!(-1),
                json!("half"),
                json!(null),
                json!("1e1"),
                json!(1e30),
                json!("0.07"),
            ],
        ),
        Kind::List => one(
            rng,
            &[
                json!(["PRO", "CO", "admin", 3, "c1"]),
                json!(["FREE"]),
                json!([]),
                json!(null),
                json!("PRO, CO,admin ,,3"),
                json!("[\"PRO\"]"),
                json!("{PRO,\"CO\"}"),
                json!({"PRO": true, "FREE": "no", "x": null}),
                json!({"PRO": "perhaps"}),
                json!(8),
                json!([null]),
                json!([" PRO ", ""]),
                json!("{a,null}"),
                json!("[1.5]"),
            ],
        ),
        Kind::Time => one(
            rng,
            &[
                json!("2026-01-01"),
                json!("2026-06-15T12:00"),
                json!("2027-01-01T00:00:00Z"),
                json!("infinity"),
                json!(1_767_225_600),
                json!("1767225600"),
                json!(null),
                json!("soon"),
                json!(1e300),
                json!("2026-06-15 07:00:00-05"),
            ],
        ),
        Kind::Id => one(
            rng,
            &[
                json!(3),
                json!("u1"),
                json!("c1"),
                json!(8),
                json!("PRO"),
                json!(null),
                json!(null),
                json!("*"),
                json!(true),
            ],
        ),
        Kind::Word => one(
            rng,
            &[
                json!("live"),
                json!("GA"),
                json!("gone"),
                json!("draft"),
                json!("completed"),
                json!("number"),
                json!("json"),
                json!("string"),
                json!("boolean"),
                json!(null),
                json!("??"),
                json!(["gone"]),
            ],
        ),
        Kind::Environment => one(
            rng,
            &[
                json!("production"),
                json!("ALL"),
                json!("staging"),
                json!(null),
                json!(["staging", "production"]),
                json!("{qa,production}"),
                json!(7),
            ],
        ),
        Kind::Variants => one(
            rng,
            &[
                json!({"a": 50, "b": 50}),
                json!({"a": 20, "b": 20.5}),
                json!({"a": 99.5}),
                json!({"a": 300}),
                json!([{"key": "a", "weight": 10}, {"key": "b", "value": {"x": 1}}]),
                json!([{"id": 1}]),
                json!("{\"a\": 1}"),
                json!(null),
                json!({"a": -1}),
                json!(7),
            ],
        ),
        Kind::Served => one(
            rng,
            &[json!("12.50"), json!("yes"), json!("{\"a\": [1]}"), json!(5), json!(true), json!(null), json!("x")],
        ),
        Kind::Tests => {
            let test = |rng: &mut Rng| {
                let attribute = one(rng, &[json!("plan"), json!("tier"), json!("seats"), json!("user"), json!("")]);
                let operator = one(
                    rng,
                    &[
                        json!("equals"),
                        json!("notIn"),
                        json!("is"),
                        json!(">="),
                        json!("lt"),
                        json!("contains"),
                        json!("exists"),
                        json!("before"),
                        json!("semver_gte"),
                        json!("roughly"),
                    ],
                );
                let value = one(
                    rng,
                    &[
                        json!("PRO"),
                        json!(5),
                        json!(true),
                        json!(["PRO", 5]),
                        json!("10"),
                        json!("2026-01-01"),
                        json!(null),
                    ],
                );
                let mut test = json!({"attribute": attribute, "operator": operator, "value": value});
                if rng.u32(0..12) == 0 {
                    test["negate"] = true.into();
                }
                test
            };
            match rng.u32(0..5) {
                0 => test(rng),
                1 => json!([[test(rng), test(rng)], [test(rng)]]),
                2 => json!([test(rng)]).to_string().into(),
                3 => json!(null),
                _ => json!([test(rng), test(rng)]),
            }
        }
        Kind::Lists => one(
            rng,
            &[
                json!({"plans": ["PRO"], "tiers": "gold"}),
                json!({"tiers": [5, "gold"], "vip": "c1, 8"}),
                json!({}),
                json!({"teams": ["x"]}),
                json!({"teams": []}),
                json!({"tiers": {"x": 1}}),
                json!("{\"vip\": [8]}"),
                json!(["PRO"]),
            ],
        ),
        Kind::Object => one(
            rng,
            &[
                json!({"u1": true, "3": false}),
                json!({"c1": true}),
                json!({"c1": "perhaps"}),
                json!(["c1", 8]),
                json!({}),
                json!(null),
                json!("{\"PRO\": true}"),
                json!(7),
            ],
        ),
        Kind::Anything => anything(rng),
    }
}

fn anything(rng: &mut Rng) -> Json {
    one(
        rng,
        &[
            json!(null),
            json!(""),
            json!(" "),
            json!("{}"),
            json!([]),
            json!({}),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(true),
            json!("x"),
            json!([[]]),
            json!({"a": null}),
            json!("{"),
            json!("[1,"),
            json!(9_007_199_254_740_993_i64),
            json!("NaN"),
        ],
    )
}
