//! Accounts, their sessions, and tokens that are kept in the store: what the requests look at is held in memory and read anew
//! each second, so known sessions and tokens stay valid while the store is away, and servers on the same store agree.

mod book;
mod limits;
pub(crate) mod password;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
pub(crate) use book::{Account, Book, Holder};
use esclusa::Time;
pub(crate) use limits::Limits;
use tokio::sync::{Mutex, Semaphore};

use crate::problem::Problem;
use crate::store::{Asked, Cells, Statement, Store, Tables};
use crate::token::Tokens;

/// How old what is known may be.
const FRESH: Duration = Duration::from_secs(1);
/// How old it has to be for an unknown token or session to be looked up at once: strangers must not keep the store busy.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How many passwords are hashed at once: each takes 19 MiB.
const HASHING: usize = 2;

/// Who may come in, beside the tokens of the configuration.
pub(crate) struct Accounts {
    store: Option<Store>,
    book: RwLock<Arc<Book>>,
    /// When the book was read last; who reads it holds the lock, so that no older one replaces a newer one.
    read: Mutex<Option<Instant>>,
    pub(crate) limits: Limits,
    hashing: Semaphore,
}

impl Accounts {
    pub(crate) fn new(store: Option<Store>) -> Self {
        Accounts {
            store,
            book: RwLock::default(),
            read: Mutex::default(),
            limits: Limits::new(),
            hashing: Semaphore::new(HASHING),
        }
    }

    /// Reads what the store has, if it need not be waited for.
    pub(crate) fn read_now(&self, tokens: &Tokens) -> Result<(), Problem> {
        let Some(store) = &self.store else { return Ok(()) };
        match store.ask_now(&Book::statements())? {
            Some(rows) => self.take(rows, tokens),
            None => Ok(()),
        }
    }

    /// What is known now.
    pub(crate) fn book(&self) -> Arc<Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether accounts, sessions and tokens are kept.
    pub(crate) fn are_kept(&self) -> bool {
        self.book().is_kept
    }

    /// Reads the book anew.
    pub(crate) async fn refresh(&self, tokens: &Tokens) -> Result<(), Problem> {
        self.read_if_older(Duration::ZERO, tokens).await.map(drop)
    }

    /// Reads the book anew, if it is not of this moment; whether it was read.
    pub(crate) async fn look_again(&self, tokens: &Tokens) -> bool {
        self.read_if_older(LOOK_AGAIN, tokens).await.is_ok_and(|read| read)
    }

    async fn read_if_older(&self, age: Duration, tokens: &Tokens) -> Result<bool, Problem> {
        let Some(store) = &self.store else { return Ok(false) };
        let mut read = self.read.lock().await;
        if read.is_some_and(|read| read.elapsed() < age) {
            return Ok(false);
        }
        match store.ask(Book::statements().to_vec(), Tables::AsTheyAre).await {
            Ok(Asked::Rows(rows)) => self.take(rows, tokens)?,
            Ok(Asked::NoTables) => {}
            Err(problem) => {
                *read = Some(Instant::now());
                return Err(problem);
            }
        }
        *read = Some(Instant::now());
        Ok(true)
    }

    fn take(&self, rows: Vec<Vec<Cells>>, tokens: &Tokens) -> Result<(), Problem> {
        let (book, kept) = Book::of(rows)?;
        tokens.keep(&kept);
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
        Ok(())
    }

    /// Changes what is kept, and reads it anew; the rows that the last statement gives.
    ///
    /// # Errors
    /// When the store is away or refuses that, or this server has none.
    pub(crate) async fn write(&self, statements: Vec<Statement>, tokens: &Tokens) -> Result<Vec<Cells>, Problem> {
        let missing = |detail: &str| Problem::new(StatusCode::CONFLICT, detail);
        let Some(store) = &self.store else {
            return Err(missing("this server keeps no accounts, expected a store that it writes to"));
        };
        match store.ask(statements, Tables::Made).await? {
            Asked::Rows(mut rows) => {
                // It is written, whatever becomes of reading it.
                let _ = self.refresh(tokens).await;
                Ok(rows.pop().unwrap_or_default())
            }
            Asked::NoTables => Err(missing(
                "the role of this server may not keep accounts, expected `CREATE SCHEMA esclusa_server AUTHORIZATION …`",
            )),
        }
    }

    /// A password's hash.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let broken = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the password cannot be hashed");
        let _turn = self.hashing.acquire().await.map_err(|_| broken())?;
        let hashed = tokio::task::spawn_blocking(move || password::hash(&password)).await;
        hashed.ok().flatten().ok_or_else(broken)
    }

    /// The account of this address, if that is its password. An account that is not there takes as long.
    pub(crate) async fn log_in(&self, email: &str, password: String, tokens: &Tokens) -> Option<Arc<Account>> {
        let email = email.trim().to_lowercase();
        let mut account = self.book().by_email(&email);
        if account.is_none() && self.look_again(tokens).await {
            account = self.book().by_email(&email);
        }
        self.is_password(account.as_deref(), password).await.then_some(account)?
    }

    /// Whether that is the password of the account.
    pub(crate) async fn is_password(&self, account: Option<&Account>, password: String) -> bool {
        let hash = account.map(|account| account.password.clone());
        let Ok(_turn) = self.hashing.acquire().await else { return false };
        let verified = tokio::task::spawn_blocking(move || password::is(&password, hash.as_deref())).await;
        verified.is_ok_and(|is| is)
    }

    /// Keeps the book fresh and the limits small, and writes down which tokens were used. Ends with the server.
    pub(crate) async fn tend(shared: std::sync::Weak<crate::shared::Shared>) {
        let mut seconds: u64 = 0;
        loop {
            tokio::time::sleep(FRESH).await;
            let Some(shared) = shared.upgrade() else { return };
            let accounts = &shared.accounts;
            if accounts.store.is_none() {
                return;
            }
            seconds += 1;
            if seconds.is_multiple_of(60) {
                accounts.limits.forget();
            }
            if seconds.is_multiple_of(5) && accounts.are_kept() {
                let used = shared.tokens.used().into_iter().map(|(id, at)| book::used(&id, at)).collect::<Vec<_>>();
                if let (false, Some(store)) = (used.is_empty(), &accounts.store) {
                    let written = store.ask(used, Tables::AsTheyAre).await;
                    written.map(drop).unwrap_or_else(|problem| tracing::debug!("{}", problem.detail()));
                }
            }
            if let Err(problem) = accounts.read_if_older(FRESH / 2, &shared.tokens).await {
                tracing::debug!("accounts cannot be read: {}", problem.detail());
            }
        }
    }
}

/// A time as it is kept.
pub(crate) fn millis(time: Time) -> crate::store::statement::Cell {
    crate::store::statement::Cell::Whole(Some(time.as_millis()))
}
