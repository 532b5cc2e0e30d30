//! A store of one's own in under 40 lines: a text file with a flag a line, as `new_checkout = on`.

use std::time::Duration;

use esclusa::{Context, Flags};
use esclusa_sync::{Answer, Failure, Options, Request, Source, sync};

struct Lines(&'static str);

impl Source for Lines {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
        let text = tokio::fs::read_to_string(self.0).await?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let rows: Vec<String> = pairs
            .map(|(name, state)| format!(r#"{{"name": "{}", "enabled": {}}}"#, name.trim(), state.trim() == "on"))
            .collect();
        Ok(format!("[{}]", rows.join(",")).into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let flags = Flags::new();
    let syncing = sync(&flags, Lines("flags.ini"), Options::default());
    if !syncing.ready(Duration::from_secs(1)).await {
        println!("{}", syncing.status());
    }
    println!("new_checkout is on: {}", flags.is_enabled("new_checkout", &Context::new("ana")));
}
