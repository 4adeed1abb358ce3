//! Checks that `.env.example` names every variable of the server, so that somebody who copies the file sees all
//! settings.

use app_server::config::CommandLine;
use clap::CommandFactory;

const EXAMPLE: &str = include_str!("../../.env.example");

#[test]
fn every_variable_of_the_server_is_in_the_example() {
    let command = CommandLine::command();
    let variables: Vec<&str> = command
        .get_subcommands()
        .chain([&command])
        .flat_map(clap::Command::get_arguments)
        .filter_map(|argument| argument.get_env()?.to_str())
        .collect();
    assert!(variables.contains(&"HTTP_ADDR"), "no settings were read: {variables:?}");

    let missing: Vec<&&str> = variables.iter().filter(|name| !is_named(name)).collect();

    assert!(missing.is_empty(), "not in .env.example: {missing:?}");
}

#[test]
fn the_example_sets_nothing_but_the_passwords_of_the_services() {
    let set: Vec<&str> = EXAMPLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split('=').next())
        .collect();
    assert_eq!(set, ["POSTGRES_PASSWORD", "REDIS_PASSWORD"]);
}

fn is_named(variable: &str) -> bool {
    EXAMPLE
        .lines()
        .any(|line| line.trim_start_matches('#').starts_with(&format!("{variable}=")))
}
