//! `POST /api/v1/preview`: who flips if a draft were saved, as `esclusa diff` says it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use esclusa::{Json, Time, Value};
use esclusa_impact::{
    Callers, Census, Change, Comparison, Document, FlagTally, Flips, Group, NotExact, Options, Region, changes, exactly,
};
use tokio::task::spawn_blocking;

use super::flags::{in_columns, replaced};
use super::{Asked, answer, bad, row_of};
use crate::caller::By;
use crate::checked::{check, document, set};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::{Purpose, Row, Table};

/// By what those who flip are grouped, unless the body says otherwise.
const BY: [&str; 4] = ["plan", "role", "company", "region"];
/// How many people are shown for each flag, with both explanations.
const EXAMPLES: usize = 3;

/// `{"key": "crm", "flag": {…}}` for a change or a new flag, with null for one that goes; `people`, a list of contexts, is
/// asked besides, and `by` groups them.
pub(crate) async fn preview(
    State(shared): State<Arc<Shared>>,
    By(caller): By,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &["key", "flag", "people", "by", "at"]).await?;
    let key =
        asked.text("key")?.ok_or_else(|| bad("`key` is missing, expected the key of a flag".to_owned()))?.to_owned();
    let is_gone = asked.fields.has("flag") && asked.field("flag").is_none();
    let fields = if is_gone { None } else { Some(asked.flag()?) };
    let (people, by, at) = (people(&asked)?, by(&asked)?, super::time(&asked, shared.now())?);
    let read = move |table: &mut dyn Table| {
        let before = table.rows()?;
        let after = drafted(table, &before, &key, fields)?;
        check(&before, &after, &key)?;
        Ok((before, after))
    };
    let (before, after) = asked.store.run(Purpose::Reading, read).await?;
    let counted = spawn_blocking(move || written(&before, &after, people.as_deref(), by, at)).await;
    let broken = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "counting broke off");
    Ok(answer(StatusCode::OK, counted.map_err(broken)??))
}

fn people(asked: &Asked) -> Result<Option<Vec<Value<'static>>>, Problem> {
    match asked.field("people") {
        None => Ok(None),
        Some(Value::List(people)) if people.iter().all(|person| matches!(person, Value::Object(_))) => {
            Ok(Some(people.clone()))
        }
        Some(_) => {
            Err(bad("`people` is no list of contexts, expected [{\"user\": \"…\", \"plan\": \"…\"}, …]".to_owned()))
        }
    }
}

fn by(asked: &Asked) -> Result<Vec<String>, Problem> {
    let Some(by) = asked.field("by") else { return Ok(BY.map(str::to_owned).to_vec()) };
    let names = by.as_list().and_then(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    names.ok_or_else(|| bad("`by` is no list of attributes, expected [\"plan\", …]".to_owned()))
}

/// The rows as they would be.
fn drafted(
    table: &mut dyn Table,
    before: &[Row],
    key: &str,
    fields: Option<Vec<(String, Value<'static>)>>,
) -> Result<Vec<Row>, Problem> {
    let is_there = row_of(before, key)?.is_some();
    let Some(fields) = fields else {
        let others = before.iter().filter(|row| esclusa::row::key(row) != Some(key)).cloned().collect();
        return if is_there { Ok(others) } else { Err(Problem::no_flag(key)) };
    };
    let mut fields = in_columns(table, fields)?;
    if is_there {
        return Ok(replaced(before, key, &fields));
    }
    let keys = table.keys();
    if let Some(column) = keys.first().filter(|_| fields.iter().all(|(name, _)| !keys.contains(name))) {
        fields.push((column.clone(), key.to_owned().into()));
    }
    let row = Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect());
    if esclusa::row::key(&row) != Some(key) {
        return Err(bad(format!("`flag` has another key, expected `{key}`")));
    }
    Ok(before.iter().cloned().chain([row]).collect())
}

fn written(
    before: &[Row],
    after: &[Row],
    people: Option<&[Value<'static>]>,
    by: Vec<String>,
    at: Time,
) -> Result<String, Problem> {
    let read = |rows| Document::from_json(&document(rows)).map_err(|error| bad(error.to_string()));
    let (old, new) = (read(before)?, read(after)?);
    let comparison = Comparison::new(set(before)?, set(after)?);
    let mut census = Census::new(&comparison, Options { at, by, examples: EXAMPLES });
    for (number, person) in people.unwrap_or_default().iter().enumerate() {
        census.count(person).map_err(|error| bad(format!("`people`, entry {number}: {error}")))?;
    }
    let mut json = Json::default();
    json.object(|json| {
        json.name("at").text(&at.to_string());
        json.name("flags").list(changes(&old, &new), |json, change| {
            let tally = census.flags().iter().find(|tally| tally.key() == change.key && people.is_some());
            flag(json, &change, &exact(&change, &old, &new, at), tally);
        });
        json.name("people").maybe(people, |json, _| {
            json.object(|json| {
                let mut count = |name: &str, number: u64| json.name(name).whole(whole(number));
                count("counted", census.people());
                count("flipped", census.flipped());
                count("turned_off", census.turned_off());
            });
        });
    });
    Ok(json.into_text())
}

/// What a flag refers to is not part of its own definition.
fn exact(change: &Change, old: &Document, new: &Document, at: Time) -> Result<Vec<Region>, String> {
    match change.through.as_slice() {
        [] => exactly(&change.key, old, new, at).map_err(|why: NotExact| why.to_string()),
        through => Err(format!("it depends on {}", through.join(" and "))),
    }
}

fn flag(json: &mut Json, change: &Change, exact: &Result<Vec<Region>, String>, tally: Option<&FlagTally>) {
    json.object(|json| {
        json.name("flag").text(&change.key);
        json.name("kind").text(change.kind.name());
        json.name("fields").list(&change.fields, |json, field| {
            json.object(|json| {
                json.name("field").text(&field.field);
                json.name("old").maybe(field.old.as_ref(), Json::value);
                json.name("new").maybe(field.new.as_ref(), Json::value);
            });
        });
        json.name("through").list(&change.through, |json, through| json.text(through));
        json.name("reshuffles").list(&change.reshuffles, |json, field| json.text(field));
        json.name("exactly").maybe(exact.as_ref().ok(), |json, regions| json.list(regions, region));
        json.name("not_exact").maybe(exact.as_ref().err(), |json, why| json.text(why));
        json.name("people").maybe(tally, |json, tally| {
            json.object(|json| {
                flips(json, tally.flips());
                let groups =
                    tally.groups().iter().filter(|group| !group.values().is_empty() || group.others().total() > 0);
                json.name("groups").list(groups, group);
                json.name("examples").list(tally.examples(), |json, example| {
                    json.object(|json| {
                        let person = Value::from_json(example.person.as_bytes()).unwrap_or_default();
                        json.name("person").value(&person);
                        json.name("direction").text(example.direction.name());
                        json.name("before").text(&example.before);
                        json.name("after").text(&example.after);
                    });
                });
            });
        });
    });
}

fn region(json: &mut Json, region: &Region) {
    json.object(|json| {
        json.name("direction").text(region.direction.name());
        json.name("buckets").maybe(region.buckets, |json, (from, to)| {
            json.list([from, to], |json, bucket| json.whole(bucket.into()));
        });
        json.name("callers").list(&region.callers, |json, constraint| {
            let (is, values): (_, &[String]) = match &constraint.callers {
                Callers::OneOf(values) => ("one_of", values),
                Callers::NoneOf(values) => ("none_of", values),
                Callers::OthersThan(values) => ("other_than", values),
                Callers::Missing => ("missing", &[]),
            };
            json.object(|json| {
                json.name("attribute").text(&constraint.attribute);
                json.name("is").text(is);
                json.name("values").list(values, |json, value| json.text(value));
            });
        });
        json.name("sentence").text(&region.to_string());
    });
}

fn group(json: &mut Json, group: &Group) {
    json.object(|json| {
        json.name("attribute").text(group.attribute());
        let named = group.values().into_iter().map(|(value, flips)| (Some(value), flips));
        let others = (group.others().total() > 0).then(|| (None, group.others()));
        json.name("values").list(named.chain(others), |json, (value, counted)| {
            json.object(|json| {
                json.name("of").maybe(value, Json::text);
                flips(json, counted);
            });
        });
    });
}

fn flips(json: &mut Json, flips: Flips) {
    let mut count = |name: &str, number: u64| json.name(name).whole(whole(number));
    count("on", flips.on);
    count("off", flips.off);
    count("variant", flips.variant);
    count("value", flips.value);
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
