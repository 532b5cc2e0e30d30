//! Rows of any query, one by one, such as the people of an app.

use std::pin::pin;

use futures_util::StreamExt;
use tokio_postgres::SimpleQueryMessage;

use super::Postgres;
use crate::source::Failure;

impl Postgres {
    /// Shows each row of a query as a JSON object, as the server sends them: no more than a few are held. It takes as
    /// long as the query takes; the timeout is that of connecting.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), esclusa_sync::Failure> {
    /// let people = esclusa_sync::Postgres::new("postgres://app@db.example.com/app")?;
    /// people.each_row("SELECT id AS \"user\", plan, region FROM users", |person| println!("{person}")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the server is away, or does not understand the query.
    pub async fn each_row(mut self, query: &str, mut show: impl FnMut(&str)) -> Result<(), Failure> {
        let opened = self.open(|_| {}).await?;
        let query = query.trim().trim_end_matches(';');
        let query = format!("SELECT pg_catalog.row_to_json(esclusa_row)::text FROM (\n{query}\n) esclusa_row");
        let mut rows = pin!(opened.simple_query_raw(&query).await?);
        while let Some(message) = rows.next().await {
            if let SimpleQueryMessage::Row(row) = message? {
                show(row.get(0).unwrap_or_default());
            }
        }
        Ok(())
    }
}
