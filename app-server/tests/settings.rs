//! Tests the settings by running the program, as somebody at a shell would.

use std::fs::File;
use std::process::{Command, Output, Stdio};

#[test]
fn help_teaches_every_setting_with_its_default_and_its_variable() {
    let help = stdout(&app_server(&[], &["--help"]));
    for expected in [
        "Examples:",
        "Storage:",
        "--database-url-events <URL>",
        "[env: DATABASE_URL_EVENTS]",
        "[default: sqlite:box-office.db]",
        "[default: 127.0.0.1:8080]",
        "Logs (on standard error):",
        "bootstrap-admin",
    ] {
        assert!(help.contains(expected), "{expected} is not in:\n{help}");
    }
}

#[test]
fn a_wrong_setting_is_one_line_on_standard_error_and_exit_code_2() {
    for (variables, arguments, line) in [
        (
            &[("HTTP_ADDR", "nowhere")][..],
            &[][..],
            "app-server: --http-addr (HTTP_ADDR): must be localhost or an IP address, and a port, such as 127.0.0.1:8080, \
             [::1]:8080, or 0.0.0.0:80 to listen on all addresses\n",
        ),
        (
            &[("OAUTH_GOOGLE_CLIENT_ID", "us")],
            &[],
            "app-server: OAUTH_GOOGLE_CLIENT_SECRET is not set: a client needs an id and a secret\n",
        ),
        (
            &[],
            &["--database-url-events", "sqlite:/no/such/folder/b.db"],
            "app-server: --database-url-events (DATABASE_URL_EVENTS): the folder /no/such/folder does not exist; make it first\n",
        ),
    ] {
        let output = app_server(variables, arguments);
        assert_eq!(String::from_utf8_lossy(&output.stderr), line);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn a_flag_wins_over_its_variable() {
    let output = app_server(&[("MAX_LANES", "none")], &["--max-lanes", "5", "--version"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn the_openapi_document_is_printed_for_the_server_at_the_public_url_and_nothing_is_opened() {
    // The folder does not exist: a command that opened this storage would fail.
    let arguments = ["openapi", "--database-url-events", "sqlite:/no/such/folder/b.db"];
    let output = app_server(&[("PUBLIC_URL", "https://tickets.example")], &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the document is JSON");
    let at_the_url = adapters_http::document_at("https://tickets.example");
    assert_eq!(document, at_the_url);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "https://tickets.example");
}

#[test]
fn a_reader_who_stops_reading_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_app-server"))
        .env_clear()
        .arg("openapi")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo built the binary for this test");
    // The document does not fit into a pipe, so the program is still printing when its reader goes away here.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_cannot_be_printed_is_told_in_one_line() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_app-server"))
        .env_clear()
        .arg("openapi")
        .stdout(full)
        .output()
        .expect("cargo built the binary for this test");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("app-server: the result cannot be printed: "), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

fn app_server(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_app-server"))
        .env_clear()
        .envs(variables.iter().copied())
        .args(arguments)
        .output()
        .expect("cargo built the binary for this test")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
