//! The command `services`, with which a developer starts and stops the services that tests and the server run on.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use test_services::{Background, Kind, Part, Source};

/// What `--help` prints. The script prints the same file, so that nobody has to build this command to read it.
const HELP: &str = include_str!("services-help.txt");

#[derive(Debug, Parser)]
#[command(name = "services", version, override_help = HELP, max_term_width = 110)]
struct CommandLine {
    /// The folder for the records of what runs, instead of target/services
    #[arg(long, global = true, value_name = "FOLDER")]
    state: Option<PathBuf>,
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the services that no environment variable names and that do not run yet, and create the server's
    /// databases
    Up {
        /// Start only these services
        #[arg(value_enum, value_name = "SERVICE", default_values_t = Kind::ALL)]
        services: Vec<Kind>,
        /// Let every commit of PostgreSQL wait for the disk, as in production
        #[arg(long)]
        durable: bool,
    },
    /// Stop the services that up has started, and remove their data
    Down,
    /// Print which services answer, and where; the exit code is 1 if one of them does not
    Status {
        /// Print only one line, with the services that answer
        #[arg(long)]
        line: bool,
    },
    /// Print the environment variables for tests and for the server, for a shell to evaluate
    Env {
        /// Print only the variables for tests
        #[arg(long)]
        tests: bool,
    },
    /// Run a command with the variables that env prints; services that are missing are started first, and stay up
    Run {
        #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<std::ffi::OsString>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let line = CommandLine::parse();
    match act(line).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "services: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn act(line: CommandLine) -> Result<ExitCode> {
    let services = match line.state {
        Some(folder) => Background::in_folder(&folder),
        None => Background::of_workspace(),
    };
    match line.command {
        Action::Up {
            services: kinds,
            durable,
        } => {
            let services = if durable { services.durable() } else { services };
            up(&services, &kinds, &mut io::stdout()).await
        }
        Action::Down => down(&services),
        Action::Status { line } => status(&services, line).await,
        Action::Env { tests } => env(&services, tests).await,
        Action::Run { command } => run(&services, &command).await,
    }
}

/// Starts the services one after the other. If one cannot be started, the others are started all the same.
async fn up(services: &Background, kinds: &[Kind], out: &mut dyn Write) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for &kind in kinds {
        match services.up(kind).await {
            Ok(part) => writeln!(out, "{}", described(&part))?,
            Err(error) => {
                writeln!(io::stderr(), "services: {error:#}")?;
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn down(services: &Background) -> Result<ExitCode> {
    let stopped = services.down()?;
    for kind in &stopped {
        writeln!(io::stdout(), "{kind} is stopped and its data are removed")?;
    }
    if stopped.is_empty() {
        writeln!(io::stderr(), "services: there was no service to stop")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(services: &Background, one_line: bool) -> Result<ExitCode> {
    let mut answering = Vec::new();
    for kind in Kind::ALL {
        let part = services.look(kind).await?;
        if !one_line {
            let text = part.as_ref().map_or_else(|| format!("{kind}: not started"), described);
            writeln!(io::stdout(), "{text}")?;
        }
        if let Some(Part {
            answer: Ok(name),
            source,
            ..
        }) = part
        {
            answering.push(match source {
                Source::Background => format!("{name} (own process)"),
                source => format!("{name} ({source})"),
            });
        }
    }
    if one_line {
        let none = answering.is_empty().then(|| "none".to_owned());
        answering.extend(none);
        writeln!(io::stdout(), "{}", answering.join(", "))?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if answering.len() == Kind::ALL.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn env(services: &Background, only_for_tests: bool) -> Result<ExitCode> {
    for (name, value) in variables(services, only_for_tests).await? {
        writeln!(io::stdout(), "export {name}={}", quoted(&value))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(services: &Background, command: &[std::ffi::OsString]) -> Result<ExitCode> {
    let code = up(services, &Kind::ALL, &mut io::stderr()).await?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let (program, arguments) = command.split_first().context("there is no command")?;
    let error = Command::new(program)
        .args(arguments)
        .envs(variables(services, false).await?)
        .exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}

/// Returns the variables of the services that answer.
async fn variables(services: &Background, only_for_tests: bool) -> Result<Vec<(&'static str, String)>> {
    let mut variables = Vec::new();
    for kind in Kind::ALL {
        match services.look(kind).await? {
            Some(part) if part.answer.is_ok() => {
                variables.push(part.variable_for_tests());
                if !only_for_tests {
                    variables.extend(part.variables_for_the_server()?);
                }
            }
            _ => writeln!(
                io::stderr(),
                "services: {kind} does not run; the command `services up` starts it"
            )?,
        }
    }
    Ok(variables)
}

/// Describes a service in one line, without the value of the environment variable, which may contain a password.
fn described(part: &Part) -> String {
    let Part {
        kind,
        source,
        address,
        answer,
    } = part;
    match (answer, source) {
        (Ok(name), Source::Variable(_)) => format!("{name} ({source})"),
        (Ok(name), _) => format!("{name} at {address}"),
        (Err(reason), _) => format!("{kind} ({source}) does not answer: {reason:#}"),
    }
}

/// Quotes a value, so that a shell reads it back unchanged.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_commands_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_command_and_every_option() {
        let line = CommandLine::command();
        for command in line.get_subcommands() {
            let described = HELP
                .lines()
                .find(|line| line.starts_with(&format!("  {} ", command.get_name())));
            let described = described.unwrap_or_else(|| panic!("{} is not in the help", command.get_name()));
            for option in command.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(
                    described.contains(&format!("[--{option}]")),
                    "--{option} is not in {described}"
                );
            }
        }
        for option in line.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(HELP.contains(&format!("--{option}")), "--{option} is not in the help");
        }
        for kind in Kind::ALL {
            let name = clap::ValueEnum::to_possible_value(&kind).unwrap().get_name().to_owned();
            assert!(
                HELP.contains(&name) && HELP.contains(kind.variable()),
                "{name} is not in the help"
            );
        }
    }

    #[test]
    fn a_value_survives_the_shell() {
        let value = "postgres://o'neill:$HOME`x`@h/db?a=1&b=\"2\" 3";
        let script = format!("printf %s {}", quoted(value));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
    }

    #[test]
    fn a_password_is_not_shown() {
        let part = Part {
            kind: Kind::Postgres,
            source: Source::Variable("TEST_POSTGRES_URL"),
            address: "postgres://box:s3cret@db/events".to_owned(),
            answer: Ok("PostgreSQL 16.4".to_owned()),
        };
        assert_eq!(described(&part), "PostgreSQL 16.4 (from TEST_POSTGRES_URL)");
    }
}
