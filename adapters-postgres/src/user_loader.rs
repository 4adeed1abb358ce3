//! Reads users for many callers who each ask for one user, with few statements that each read many users.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgRow};
use ticketing_ports::people::users::User;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::cells::Cells;
use crate::errors::failed_for_one;

/// A data loader for users. Questions that come while a statement runs are answered together by the next statement. A
/// question that comes while no statement runs is answered at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserLoader(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    questions: Vec<Question>,
    /// Whether a task reads users at the moment. If so, that task will also answer the questions that are added.
    is_read: bool,
}

#[derive(Debug)]
struct Question {
    id: UserId,
    answer: oneshot::Sender<Result<Option<User>, StoreError>>,
}

impl UserLoader {
    pub(crate) async fn find(&self, pool: &PgPool, id: UserId) -> Result<Option<User>, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.ask(Question { id, answer }) {
            let reader = Reader {
                loader: self.clone(),
                is_done: false,
            };
            // A separate task reads the users, because this caller may give up while other callers still wait for
            // their answers.
            tokio::spawn(reader.read(pool.clone()));
        }
        answered.await.map_err(StoreError::unavailable)?
    }

    /// Adds a question. Returns whether the caller has to start a task that reads, since none is running.
    fn ask(&self, question: Question) -> bool {
        let mut waiting = self.waiting();
        waiting.questions.push(question);
        !std::mem::replace(&mut waiting.is_read, true)
    }

    /// Takes the questions to answer next. If there are none, notes that no task reads any more; the calling task
    /// then ends.
    fn next(&self) -> Vec<Question> {
        let mut waiting = self.waiting();
        waiting.is_read = !waiting.questions.is_empty();
        std::mem::take(&mut waiting.questions)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that reads users until no question is left.
struct Reader {
    loader: UserLoader,
    is_done: bool,
}

impl Reader {
    async fn read(mut self, pool: PgPool) {
        loop {
            let questions = self.loader.next();
            if questions.is_empty() {
                self.is_done = true;
                return;
            }
            let ids = questions.iter().map(|question| question.id.uuid()).collect();
            match rows_of(&pool, ids).await {
                Ok(rows) => {
                    for Question { id, answer } in questions {
                        let row = rows.get(&id.uuid());
                        // Sending fails if the caller has given up, which is no error.
                        drop(answer.send(row.map(user_from).transpose()));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    // Questions that came while the statement ran get the same error without a try of their own,
                    // which would take as long and most likely fail too.
                    let late = std::mem::take(&mut self.loader.waiting().questions);
                    for question in questions.into_iter().chain(late) {
                        let error = failed_for_one(&error);
                        drop(question.answer.send(Err(error)));
                    }
                }
            }
        }
    }
}

impl Drop for Reader {
    /// Drops the waiting questions if the task was aborted or panicked, so that their callers get an error instead of
    /// waiting for ever.
    fn drop(&mut self) {
        if !self.is_done {
            let mut waiting = self.loader.waiting();
            waiting.is_read = false;
            waiting.questions.clear();
        }
    }
}

async fn rows_of(pool: &PgPool, ids: Vec<Uuid>) -> Result<HashMap<Uuid, PgRow>, sqlx::Error> {
    let rows = sqlx::query("SELECT user_id, email, role, created_at FROM users WHERE user_id = ANY($1)")
        .bind(ids)
        .fetch_all(pool)
        .await?;
    let named = rows.into_iter().map(|row| Ok((row.try_get("user_id")?, row)));
    named.collect()
}

pub(crate) fn user_from(row: &PgRow) -> Result<User, StoreError> {
    let cells = Cells {
        row,
        table: "users",
        key: "user_id",
    };
    Ok(User {
        id: UserId::new(cells.get("user_id")?),
        email: cells.parse("email", |email: &str| EmailAddress::parse(email).ok())?,
        role: cells.parse("role", Role::parse)?,
        created_at: cells.get("created_at")?,
    })
}
