//! A lane: it decides the commands of one event one after another in memory, and everything decided while a commit is
//! under way goes into the next commit.
//!
//! The lane's book is ahead of the log by at most two groups: the one being committed and the one being gathered. A
//! caller is answered only when the facts behind the answer are durable. If a commit fails, the book rolls both groups
//! back, and their jobs are decided again on what the log says. Streams are read in background tasks, so that only the
//! jobs that need them wait.
//!
//! The files, in reading order:
//! - `lanes` starts and finds lanes; `job`, `command_job` and `question_job` are the requests in them.
//! - `load` is how much the lanes have to do, and `load_meter` reads it.
//! - `state` is what a lane has in memory, and `run` is its task.
//! - `decide` decides one job, and `group` collects decisions. `commit_group` and `commit` write them, and `outcome`
//!   handles what became of them.
//! - `loading` reads the streams that the jobs in `parked` wait for. `waiting` is about jobs that wait for the gateway.
//!   `keys` looks up the idempotency keys of the jobs in `lookups`; `running_keys` are those of running requests.
//!   `background` is what the tasks beside the lane return.
//! - `answer_record` is what is stored under an idempotency key.
//! - `known_past` is what each commit proves about the log.
//! - `snapshots` makes the first read of a long stream short, and `taking_snapshots` stores new ones.
//! - `gateway_calls` carries out what was decided about money.

mod answer_record;
mod background;
mod command_job;
mod commit;
mod commit_group;
mod decide;
mod gateway_calls;
mod group;
mod index;
mod job;
mod keys;
mod known_past;
mod lanes;
mod load;
mod load_meter;
mod loading;
mod lookups;
mod outcome;
mod parked;
mod question_job;
mod run;
mod running_keys;
mod snapshots;
mod state;
mod taking_snapshots;
mod waiting;

pub(crate) use self::command_job::CommandJob;
pub(crate) use self::index::LaneIndex;
pub(crate) use self::job::{Delivered, Job};
pub(crate) use self::lanes::Lanes;
pub use self::load::Load;
pub use self::load_meter::LoadMeter;
pub(crate) use self::question_job::QuestionJob;
pub(crate) use self::running_keys::{RunningKey, RunningKeys};
