//! Keeps the sessions of users who are signed in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use async_trait::async_trait;
use redis::Script;
use serde::{Deserialize, Serialize};
use ticketing_ports::Timestamp;
use ticketing_ports::people::erase::{Erase, Person};
use ticketing_ports::people::sessions::{Session, SessionStore, SignInMethod};
use ticketing_ports::vocabulary::errors::StoreError;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::secrets::SecretDigest;

use crate::connection::Redis;
use crate::keys::{inconsistent, micros, text_of, time, ttl_ms};

const SESSION: &str = "session";
const SESSIONS_OF: &str = "sessions-of";

/// The script that stores a session. `KEYS`: the session, the index of its user. `ARGV`: the name of the session in
/// the index, when the session ends if unused, when it ends in any case, when it was last active, its other fields,
/// for how many milliseconds Redis keeps it.
static CREATE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('HSET', KEYS[1], 'idle_until', ARGV[2], 'ends_at', ARGV[3], 'last_active', ARGV[4], 'about', ARGV[5])
         redis.call('PEXPIRE', KEYS[1], ARGV[6])
         redis.call('SADD', KEYS[2], ARGV[1])
         if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[6]) then redis.call('PEXPIRE', KEYS[2], ARGV[6]) end",
    )
});

/// The script that extends a live session when it is used. `KEYS`: the session. `ARGV`: the time now, when the
/// session ends if unused from now on.
static TOUCH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local ends = redis.call('HMGET', KEYS[1], 'idle_until', 'ends_at')
         if not ends[1] or not ends[2] then return 0 end
         local now, absolute = tonumber(ARGV[1]), tonumber(ends[2])
         if now >= tonumber(ends[1]) or now >= absolute then return 0 end
         local idle = ARGV[2]
         if tonumber(idle) > absolute then idle = ends[2] end
         redis.call('HSET', KEYS[1], 'last_active', ARGV[1], 'idle_until', idle)
         return 1",
    )
});

/// The script that deletes all sessions of a user. `KEYS`: the index of the user. `ARGV`: what the keys of sessions
/// begin with.
static END_ALL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local ended = 0
         for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
             ended = ended + redis.call('DEL', ARGV[1] .. name)
         end
         redis.call('DEL', KEYS[1])
         return ended",
    )
});

/// The script that returns all sessions of a user. It also removes the names of sessions that no longer exist from
/// the index. `KEYS`: the index of the user. `ARGV`: what the keys of sessions begin with.
static LIST: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local found = {}
         for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
             local fields = redis.call('HGETALL', ARGV[1] .. name)
             if #fields == 0 then redis.call('SREM', KEYS[1], name) else table.insert(found, fields) end
         end
         return found",
    )
});

/// The fields of a session that never change; Redis has them as one JSON text.
#[derive(Serialize, Deserialize)]
struct About {
    digest: [u8; 32],
    user_id: UserId,
    method: SignInMethod,
    created_at: i64,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
}

#[derive(Debug, Clone)]
pub struct RedisSessionStore(Redis);

impl RedisSessionStore {
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }

    fn key(&self, digest: SecretDigest) -> String {
        self.0.key(SESSION, &[&text_of(digest)])
    }

    fn index(&self, user: UserId) -> String {
        self.0.key(SESSIONS_OF, &[&user.to_string()])
    }
}

#[async_trait]
impl SessionStore for RedisSessionStore {
    async fn create(&self, session: Session) -> Result<(), StoreError> {
        let about = About {
            digest: *session.digest.as_bytes(),
            user_id: session.user_id,
            method: session.method,
            created_at: micros(session.created_at),
            ip: session.ip,
            user_agent: session.user_agent,
        };
        let about = serde_json::to_string(&about).map_err(StoreError::unavailable)?;
        let mut create = CREATE.prepare_invoke();
        create
            .key(self.key(session.digest))
            .key(self.index(session.user_id))
            .arg(text_of(session.digest))
            .arg(micros(session.idle_until))
            .arg(micros(session.ends_at))
            .arg(micros(session.last_active))
            .arg(about)
            .arg(ttl_ms(session.ends_at));
        self.0.run(&create).await
    }

    async fn find(&self, digest: SecretDigest, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let key = self.key(digest);
        let fields: HashMap<String, String> = self.0.ask(redis::cmd("HGETALL").arg(&key)).await?;
        if fields.is_empty() {
            return Ok(None);
        }
        Ok(Some(session_from(&fields, &key)?).filter(|session| session.is_live(now)))
    }

    async fn touch(&self, digest: SecretDigest, now: Timestamp, idle_until: Timestamp) -> Result<bool, StoreError> {
        let mut touch = TOUCH.prepare_invoke();
        touch.key(self.key(digest)).arg(micros(now)).arg(micros(idle_until));
        self.0.run(&touch).await
    }

    async fn end(&self, digest: SecretDigest) -> Result<bool, StoreError> {
        // The name of the session stays in the index of the user until the sessions of that user are listed next.
        // That is safe, since the name alone lets nobody in once the session is deleted.
        self.0.ask(redis::cmd("DEL").arg(self.key(digest))).await
    }

    async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        let mut end_all = END_ALL.prepare_invoke();
        end_all.key(self.index(user)).arg(self.0.key(SESSION, &[""]));
        self.0.run(&end_all).await
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let mut list = LIST.prepare_invoke();
        let index = self.index(user);
        list.key(&index).arg(self.0.key(SESSION, &[""]));
        let found: Vec<HashMap<String, String>> = self.0.run(&list).await?;
        let mut sessions = found
            .iter()
            .map(|fields| session_from(fields, &index))
            .collect::<Result<Vec<_>, _>>()?;
        sessions.retain(|session| session.is_live(now));
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }
}

#[async_trait]
impl Erase for RedisSessionStore {
    async fn erase(&self, person: &Person) -> Result<u64, StoreError> {
        self.end_all_of(person.id).await
    }
}

fn session_from(fields: &HashMap<String, String>, key: &str) -> Result<Session, StoreError> {
    let field = |name: &'static str| fields.get(name).ok_or_else(|| inconsistent(SESSION, name, key));
    let at = |name: &'static str| {
        let micros = field(name)?.parse().map_err(|_| inconsistent(SESSION, name, key))?;
        time(micros, SESSION, key)
    };
    let about: About = serde_json::from_str(field("about")?).map_err(|_| inconsistent(SESSION, "about", key))?;
    Ok(Session {
        digest: SecretDigest::from_bytes(about.digest),
        user_id: about.user_id,
        method: about.method,
        created_at: time(about.created_at, SESSION, key)?,
        last_active: at("last_active")?,
        idle_until: at("idle_until")?,
        ends_at: at("ends_at")?,
        ip: about.ip,
        user_agent: about.user_agent,
    })
}
