//! Users that are asked for one by one and read many at a time.

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

/// While one statement is under way the next questions gather, so a crowd costs as many statements as fit one after
/// another, and somebody who is alone waits for nobody.
#[derive(Debug, Clone, Default)]
pub(crate) struct GatheredUsers(Arc<Mutex<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    questions: Vec<Question>,
    /// Whether somebody reads, and will see what is added to the questions.
    is_read: bool,
}

#[derive(Debug)]
struct Question {
    id: UserId,
    answer: oneshot::Sender<Result<Option<User>, StoreError>>,
}

impl GatheredUsers {
    pub(crate) async fn find(&self, pool: &PgPool, id: UserId) -> Result<Option<User>, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.ask(Question { id, answer }) {
            let reader = Reader {
                gathered: self.clone(),
                is_done: false,
            };
            // A task, since whoever asked first may give up, and the others still want their answers.
            tokio::spawn(reader.read(pool.clone()));
        }
        answered.await.map_err(StoreError::unavailable)?
    }

    /// Returns whether somebody has to begin to read.
    fn ask(&self, question: Question) -> bool {
        let mut gathered = self.gathered();
        gathered.questions.push(question);
        !std::mem::replace(&mut gathered.is_read, true)
    }

    /// The questions that are to be read next. Without any, nobody reads from now on.
    fn next(&self) -> Vec<Question> {
        let mut gathered = self.gathered();
        gathered.is_read = !gathered.questions.is_empty();
        std::mem::take(&mut gathered.questions)
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads until nobody asks any more.
struct Reader {
    gathered: GatheredUsers,
    is_done: bool,
}

impl Reader {
    async fn read(mut self, pool: PgPool) {
        loop {
            let questions = self.gathered.next();
            if questions.is_empty() {
                self.is_done = true;
                return;
            }
            let ids = questions.iter().map(|question| question.id.uuid()).collect();
            match rows_of(&pool, ids).await {
                Ok(rows) => {
                    for Question { id, answer } in questions {
                        let row = rows.get(&id.uuid());
                        // Whoever asked may be gone.
                        drop(answer.send(row.map(user_from).transpose()));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    // Those who came meanwhile would only wait as long for the same.
                    let late = std::mem::take(&mut self.gathered.gathered().questions);
                    for question in questions.into_iter().chain(late) {
                        let error = StoreError::unavailable(Arc::clone(&error));
                        drop(question.answer.send(Err(error)));
                    }
                }
            }
        }
    }
}

impl Drop for Reader {
    /// Nobody waits for a reader that was ended by something else.
    fn drop(&mut self) {
        if !self.is_done {
            let mut gathered = self.gathered.gathered();
            gathered.is_read = false;
            gathered.questions.clear();
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
