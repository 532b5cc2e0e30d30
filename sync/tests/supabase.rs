//! A table behind PostgREST, with the headers of Supabase, and with more rows than it gives at once.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod script;

use std::time::Duration;

use esclusa::Flags;
use esclusa_loopback::Table;
use esclusa_sync::{Http, Options, Policy, sync};
use script::{is_on, soon, until};

fn rows(number: usize) -> Vec<String> {
    let row = |number| format!(r#"{{"id": {number}, "name": "flag_{number}", "enabled": true, "target_plans": null}}"#);
    (0..number).map(row).collect()
}

fn source(table: &Table, query: &str) -> Http {
    let source = Http::new(table.url() + query).and_then(|http| http.header("apikey", "anon-key"));
    source.and_then(|http| http.bearer("anon-key")).unwrap()
}

fn often() -> Options {
    Options { policy: Policy { interval_ms: 10, ..soon().policy }, ..soon() }
}

#[tokio::test]
async fn the_pages_of_a_table_are_read_to_the_end() {
    let table = Table::start("anon-key", 100).await.unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, source(&table, "?select=*&order=name"), often());
    for number in [1, 99, 100, 101, 250, 1000, 3] {
        table.put(rows(number));
        until("the rows", || flags.current().len() == number).await;
        assert!(is_on(&flags, &format!("flag_{}", number - 1)));
    }
    // A row that goes between two pages would hide another.
    table.put(rows(250));
    until("the rows", || flags.current().len() == 250).await;
    let failed = |word: &str| syncing.status().last_error.is_some_and(|last| last.error.contains(word));
    while !failed("the table changed while its pages were read") {
        let rows = rows(250);
        table.put(rows);
        table.shrink_after_the_next(1);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(flags.current().len() >= 249, "half a table is never published");
    }
    table.put(Vec::new());
    until("that there are no rows", || failed("no rows")).await;
}

#[tokio::test]
async fn without_an_order_a_table_that_is_cut_is_a_failure_that_says_what_to_write() {
    let table = Table::start("anon-key", 100).await.unwrap();
    let flags = Flags::new();
    table.put(rows(100));
    let syncing = sync(&flags, source(&table, "?select=*"), often());
    until("the rows", || flags.current().len() == 100).await;
    table.put(rows(101));
    let failed = || syncing.status().last_error.map(|last| last.error);
    until("the failure", || failed().is_some()).await;
    assert_eq!(
        failed().unwrap(),
        "the answer holds the rows 0-99 of 101, expected all of them; `order` in the URL, by a column without \
         duplicates, lets the pages be read (`&order=name`)"
    );
    assert_eq!(flags.current().len(), 100, "what is published stays");

    let stranger = sync(&Flags::new(), Http::new(table.url()).unwrap(), often());
    until("the refusal", || stranger.status().last_error.is_some_and(|last| last.error.contains("401"))).await;
}
