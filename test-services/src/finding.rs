//! Finding a service. These places are tried in this order: an environment variable, a service that `services up` has
//! started, a container, and a new process.

use std::env::{self, VarError};
use std::fmt;

use anyhow::{Error, Result, anyhow};
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::container::{self, Container};
use crate::kind::Kind;
use crate::own_process::{OwnProcess, blocking};
use crate::say::tell;
use crate::service::Service;
use crate::state::State;

/// How a service was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An environment variable of this name says where the service is.
    Variable(&'static str),
    /// `services up` has started the service.
    Background,
    /// This process started the container, and removes it at its end.
    Container,
    /// This process started the service as another process. The other process ends with this one.
    OwnProcess,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(out, "from {name}"),
            Self::Background => out.write_str("own process, started by services up"),
            Self::Container => out.write_str("own container"),
            Self::OwnProcess => out.write_str("own process"),
        }
    }
}

/// A service that was found and that answers.
#[derive(Debug)]
pub(crate) struct Found {
    /// The address of the service: a URL, or `host:port` if the service is a broker.
    pub(crate) address: String,
    pub(crate) source: Source,
    /// The name and version of the service.
    pub(crate) name: String,
    _keeper: Option<Keeper>,
}

/// Keeps the service running: when the value is dropped, the service ends.
#[derive(Debug)]
#[expect(dead_code, reason = "kept only so that the service ends with it")]
enum Keeper {
    Container(Container),
    Process(OwnProcess),
}

#[derive(Debug, Error)]
pub(crate) enum NotFound {
    /// An environment variable says where the service is, but no service answers there. No other place is tried then.
    #[error("{0} does not answer where {1} says")]
    Silent(Kind, &'static str, #[source] Error),
    #[error("no environment variable says where {0} is, and it cannot be started")]
    NothingToStart(Kind, #[source] Error),
}

/// Looks for a service in one place after the other, and returns the first one that answers.
pub(crate) async fn find(service: &'static Service) -> Result<Found, NotFound> {
    let found = first(service.kind, &mut ThisMachine(service)).await?;
    tell(&format!("{} ({})", found.name, found.source));
    Ok(found)
}

/// Returns the address that the environment variable of a service contains; `None` if the variable is not set or
/// empty.
pub(crate) fn given(kind: Kind) -> Result<Option<String>> {
    match env::var(kind.variable()) {
        Ok(address) => Ok(Some(address).filter(|address| !address.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(anyhow!("the value of the variable is not valid UTF-8")),
    }
}

/// The places where a service may be found. A unit test replaces these places, to test their order without services.
trait Places {
    fn variable(&mut self, kind: Kind) -> Result<Option<String>>;
    fn background(&mut self, kind: Kind) -> Result<Option<(String, Option<String>)>>;
    async fn container(&mut self, kind: Kind) -> Result<Option<Container>>;
    async fn process(&mut self, kind: Kind) -> Result<(String, Option<String>, Option<OwnProcess>)>;
    async fn ask(&mut self, kind: Kind, address: &str) -> Result<String>;
    fn passed_over(&mut self, line: &str);
}

async fn first(kind: Kind, places: &mut impl Places) -> Result<Found, NotFound> {
    let found = |address, source, name, keeper| Found {
        address,
        source,
        name,
        _keeper: keeper,
    };
    let silent = |reason| NotFound::Silent(kind, kind.variable(), reason);
    if let Some(address) = places.variable(kind).map_err(silent)? {
        let name = places.ask(kind, &address).await.map_err(silent)?;
        return Ok(found(address, Source::Variable(kind.variable()), name, None));
    }
    match places.background(kind) {
        Ok(Some((address, known_as))) => match places.ask(kind, &address).await {
            Ok(name) => return Ok(found(address, Source::Background, known_as.unwrap_or(name), None)),
            Err(reason) => places.passed_over(&format!("{kind} of services up does not answer: {reason:#}")),
        },
        Ok(None) => {}
        Err(reason) => places.passed_over(&format!("{kind} of services up is not known: {reason:#}")),
    }
    let container = places.container(kind).await;
    match container {
        Ok(Some(container)) => match places.ask(kind, &container.address).await {
            Ok(name) => {
                let address = container.address.clone();
                return Ok(found(
                    address,
                    Source::Container,
                    name,
                    Some(Keeper::Container(container)),
                ));
            }
            Err(reason) => places.passed_over(&format!("{kind} in a container does not answer: {reason:#}")),
        },
        Ok(None) => {}
        Err(reason) => places.passed_over(&format!("{kind} cannot be had in a container: {reason:#}")),
    }
    let start = async {
        let (address, known_as, process) = places.process(kind).await?;
        let name = places.ask(kind, &address).await?;
        let keeper = process.map(Keeper::Process);
        Ok(found(address, Source::OwnProcess, known_as.unwrap_or(name), keeper))
    };
    start.await.map_err(|reason| NotFound::NothingToStart(kind, reason))
}

struct ThisMachine(&'static Service);

impl Places for ThisMachine {
    fn variable(&mut self, kind: Kind) -> Result<Option<String>> {
        given(kind)
    }

    fn background(&mut self, kind: Kind) -> Result<Option<(String, Option<String>)>> {
        let entry = State::of_workspace()
            .read()?
            .into_iter()
            .find(|entry| entry.kind == kind);
        Ok(entry.map(|entry| (entry.address, entry.known_as)))
    }

    async fn container(&mut self, _: Kind) -> Result<Option<Container>> {
        container::start(self.0).await
    }

    async fn process(&mut self, kind: Kind) -> Result<(String, Option<String>, Option<OwnProcess>)> {
        let plan = self.0.plan;
        blocking(move || {
            let plan = plan()?;
            let known_as = plan.known_as.clone();
            let (address, process) = OwnProcess::carry_out(plan)?;
            Ok((kind.url(address), known_as, Some(process)))
        })
        .await
    }

    async fn ask(&mut self, _: Kind, address: &str) -> Result<String> {
        (self.0.ask)(address).await
    }

    fn passed_over(&mut self, line: &str) {
        tell(line);
    }
}

/// Runs `find` once in a process and returns its result to every caller. A failure is remembered too, so that each test
/// fails at once.
pub(crate) async fn once<T: Clone>(
    cell: &OnceCell<Result<T, String>>,
    find: impl Future<Output = Result<T>>,
) -> Result<T> {
    let found = cell
        .get_or_init(async || find.await.map_err(|error| format!("{error:#}")))
        .await;
    found.clone().map_err(|message| anyhow!(message))
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[tokio::test]
    async fn a_variable_comes_before_everything_else() {
        let mut places = Scripted {
            variable: Some("given"),
            background: Some("up"),
            answering: &["given", "up", "process"],
        };
        let found = first(Kind::Redis, &mut places).await.unwrap();
        assert_eq!(found.source, Source::Variable("TEST_REDIS_URL"));
        assert_eq!(found.address, "given");
    }

    #[tokio::test]
    async fn where_a_variable_points_at_nothing_nothing_else_is_tried() {
        let mut places = Scripted {
            variable: Some("given"),
            background: Some("up"),
            answering: &["up", "process"],
        };
        let error = first(Kind::Redis, &mut places).await.unwrap_err();
        assert_eq!(error.to_string(), "Redis does not answer where TEST_REDIS_URL says");
    }

    #[tokio::test]
    async fn what_services_up_left_running_comes_before_a_process_of_our_own() {
        let mut places = Scripted {
            variable: None,
            background: Some("up"),
            answering: &["up", "process"],
        };
        let found = first(Kind::Redis, &mut places).await.unwrap();
        assert_eq!((found.source, found.address.as_str()), (Source::Background, "up"));
    }

    #[tokio::test]
    async fn what_services_up_left_running_and_died_since_is_passed_over() {
        let mut places = Scripted {
            variable: None,
            background: Some("up"),
            answering: &["process"],
        };
        let found = first(Kind::Redis, &mut places).await.unwrap();
        assert_eq!(found.source, Source::OwnProcess);
    }

    #[tokio::test]
    async fn where_nothing_can_be_started_the_error_says_so() {
        let mut places = Scripted {
            variable: None,
            background: None,
            answering: &[],
        };
        let error = first(Kind::Broker, &mut places).await.unwrap_err();
        assert!(matches!(error, NotFound::NothingToStart(Kind::Broker, _)), "{error}");
    }

    struct Scripted {
        variable: Option<&'static str>,
        background: Option<&'static str>,
        answering: &'static [&'static str],
    }

    impl Places for Scripted {
        fn variable(&mut self, _: Kind) -> Result<Option<String>> {
            Ok(self.variable.map(str::to_owned))
        }

        fn background(&mut self, _: Kind) -> Result<Option<(String, Option<String>)>> {
            Ok(self.background.map(|address| (address.to_owned(), None)))
        }

        async fn container(&mut self, kind: Kind) -> Result<Option<Container>> {
            Err(anyhow!("no image of {kind}"))
        }

        async fn process(&mut self, _: Kind) -> Result<(String, Option<String>, Option<OwnProcess>)> {
            Ok(("process".to_owned(), None, None))
        }

        async fn ask(&mut self, _: Kind, address: &str) -> Result<String> {
            let answers = self.answering.contains(&address);
            answers.then(|| "Redis 7".to_owned()).context("no service answers")
        }

        fn passed_over(&mut self, _: &str) {}
    }
}
