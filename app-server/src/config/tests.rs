use std::net::SocketAddr;
use std::time::Duration;

use adapters_http::Cors;
use axum::http::HeaderValue;

use super::*;

#[test]
fn without_any_flag_it_serves_with_the_documented_defaults() {
    let line = parsed(&[]);
    assert!(matches!(line.to_run(), Command::Serve));
    let settings = line.settings;
    assert_eq!(settings.http.http_addr, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert_eq!(settings.http.public_url.as_str(), "http://localhost:8080");
    assert_eq!(settings.http.request_timeout, Duration::from_secs(30));
    assert_eq!(settings.http.shutdown, Duration::from_secs(30));
    assert_eq!(settings.http.guests, Guests::Allowed);
    assert_eq!(settings.connections.max_connections, 60_000);
    assert_eq!(settings.connections.head, Duration::from_secs(10));
    assert_eq!(settings.connections.keep_alive, Duration::from_secs(75));
    assert_eq!(settings.storage.events, StorageUrl::Sqlite("box-office.db".into()));
    assert_eq!(settings.storage.idempotency, Duration::from_secs(24 * 3_600));
    assert_eq!(settings.engine.lane_mailbox, 10_000);
    assert_eq!(settings.engine.lane_idle, Duration::from_secs(60));
    assert_eq!(settings.engine.max_lanes, 1_000);
    assert_eq!(settings.engine.max_live_holds, 3);
    assert_eq!(settings.sandbox.sandbox_latency, Duration::ZERO);
    assert_eq!(settings.log.log_format, LogFormat::Pretty);
}

#[test]
fn a_setting_may_stand_before_or_after_the_command() {
    for arguments in [["--max-lanes", "7", "serve"], ["serve", "--max-lanes", "7"]] {
        assert_eq!(parsed(&arguments).settings.engine.max_lanes, 7, "{arguments:?}");
    }
}

#[test]
fn a_wrong_value_names_its_setting_and_says_what_would_do() {
    for (arguments, line) in [
        (
            ["--http-addr", "localhost"],
            "--http-addr (HTTP_ADDR): must be localhost or an IP address, and a port, such as 127.0.0.1:8080, \
             [::1]:8080, or 0.0.0.0:80 to listen on all addresses",
        ),
        (
            ["--lane-mailbox", "0"],
            "--lane-mailbox (LANE_MAILBOX): 0 is not in 1..=1000000",
        ),
        (
            ["--request-timeout-seconds", "301"],
            "--request-timeout-seconds (REQUEST_TIMEOUT_SECONDS): 301 is not in 1..=300",
        ),
        (
            ["--idempotency-hours", "soon"],
            "--idempotency-hours (IDEMPOTENCY_HOURS): invalid digit found in string",
        ),
        (
            ["--log-level", "inof"],
            "--log-level (LOG_LEVEL): must be off, error, warn, info, debug or trace, or target=level; several are separated by commas",
        ),
        (
            ["--log-format", "xml"],
            "--log-format (LOG_FORMAT): is one of pretty, json",
        ),
    ] {
        assert_eq!(mistake(&arguments), line);
    }
}

#[test]
fn a_wrong_command_is_told_in_one_line() {
    for (arguments, line) in [
        (
            &["serf"][..],
            "unrecognized subcommand 'serf'; some similar subcommands exist: 'serve', 'users'",
        ),
        (&["--colour"], "unexpected argument '--colour' found"),
        (
            &["--http-adr", "127.0.0.1:80"],
            "unexpected argument '--http-adr' found; a similar argument exists: '--http-addr'",
        ),
        (
            &["bootstrap-admin"],
            "the following required arguments were not provided: --email <ADDRESS>",
        ),
        (
            &["bootstrap-admin", "--email", "ada"],
            "--email: not an e-mail address that we can deliver to",
        ),
        (
            &["demo", "--customers", "9"],
            "the following required arguments were not provided: --sessions-file <PATH>",
        ),
    ] {
        assert_eq!(mistake(arguments), line);
    }
}

#[test]
fn a_connection_string_is_never_repeated() {
    let line = mistake(&["--database-url-events", "postgres://box:s3cret@db:port/events"]);
    assert_eq!(
        line,
        "--database-url-events (DATABASE_URL_EVENTS): use postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    );
}

#[test]
fn the_url_of_a_collector_has_no_secret_and_none_is_repeated() {
    for url in [
        "http://otel:s3cret@collector:4318",
        "http://otel@collector:4318 ",
        "http://collector:4318?token=s3cret",
        "grpc://collector:4317",
    ] {
        assert_eq!(
            mistake(&["--otel-exporter-otlp-endpoint", url]),
            "--otel-exporter-otlp-endpoint (OTEL_EXPORTER_OTLP_ENDPOINT): must be a URL like http://localhost:4318; a token \
             goes into OTEL_EXPORTER_OTLP_HEADERS"
        );
    }
    let settings = parsed(&["--otel-exporter-otlp-endpoint", "http://collector:4318 "]).settings;
    let endpoint = settings.traces.otel_exporter_otlp_endpoint;
    assert_eq!(endpoint.as_deref(), Some("http://collector:4318/"));
}

#[test]
fn a_client_of_a_provider_without_its_secret_is_refused() {
    for (arguments, needed) in [
        (&["--oauth-google-client-id", "us"][..], "OAUTH_GOOGLE_CLIENT_SECRET"),
        (&["--oauth-github-client-secret", "s3cret"], "OAUTH_GITHUB_CLIENT_ID"),
        (
            &["--oauth-oidc-issuer", "https://login.example.com"],
            "OAUTH_OIDC_CLIENT_ID",
        ),
        (
            &["--oauth-oidc-client-id", "us", "--oauth-oidc-client-secret", "s3cret"],
            "OAUTH_OIDC_ISSUER",
        ),
    ] {
        let Err(Mistake::Needed(name, _)) = parsed(arguments).check() else {
            panic!("{arguments:?} was not refused");
        };
        assert_eq!(name, needed);
    }
}

#[test]
fn a_certificate_and_its_key_are_set_together() {
    let needed = |arguments: &[&str]| match parsed(arguments).check() {
        Err(Mistake::Needed(name, _)) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(needed(&["--tls-cert", "cert.pem"]), "TLS_KEY");
    assert_eq!(needed(&["--tls-key", "key.pem"]), "TLS_CERT");
    let both = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    assert!(parsed(&both).settings.connections.tls().is_some());
}

#[test]
fn localhost_is_an_address_to_listen_on() {
    let settings = parsed(&["--http-addr", "localhost:8080"]).settings;
    assert_eq!(settings.http.http_addr, SocketAddr::from(([127, 0, 0, 1], 8080)));
    for elsewhere in ["example.com:8080", "localhost", "8080", ":8080", "localhost:http"] {
        assert!(mistake(&["--http-addr", elsewhere]).contains("must be localhost or an IP address"));
    }
}

#[test]
fn a_mail_server_that_cannot_be_one_is_refused_without_its_password() {
    for url in [
        "smtp://x",
        "smtp://ada:s3cret@x",
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtps://mail.example.com/inbox",
    ] {
        let line = mistake(&["--smtp-url", url]);
        assert!(
            line.starts_with("--smtp-url (SMTP_URL): the URL of the mail server must look like smtps://"),
            "{url}: {line}"
        );
        assert!(!line.contains("s3cret"), "{line}");
    }
    for url in [
        "smtps://ada:s3cret@mail.example.com",
        "smtp://mail.example.com",
        "smtp://localhost?tls=none",
        "smtp://mailpit:1025?tls=none",
        "smtp://[::1]:25?tls=none",
        "",
    ] {
        parsed(&["--smtp-url", url]);
    }
    assert_eq!(
        mistake(&["--mail-from", "nobody"]),
        "--mail-from (MAIL_FROM): the sender must be an address such as tickets@example.com or Box office <tickets@example.com>"
    );
}

#[test]
fn a_page_may_call_from_an_origin_and_only_a_demonstration_lets_every_origin_in() {
    let protection = |arguments: &[&str]| parsed(arguments).settings.protection;
    assert_eq!(protection(&[]).cors(), Cors::LeftToTheHost);
    let mut demonstration = protection(&[]);
    demonstration.demonstration = true;
    assert_eq!(demonstration.cors(), Cors::Any);
    let named = protection(&[
        "--cors-allowed-origins",
        "https://Shop.example.com/, http://localhost:3000",
    ]);
    let origins = ["https://shop.example.com", "http://localhost:3000"].map(HeaderValue::from_static);
    assert_eq!(named.cors(), Cors::Only(origins.to_vec()));
    for wrong in ["*", "null", "shop.example.com", "https://shop.example.com/page"] {
        assert_eq!(
            mistake(&["--cors-allowed-origins", wrong]),
            "--cors-allowed-origins (CORS_ALLOWED_ORIGINS): must be origins such as https://shop.example.com, each without a path"
        );
    }
}

#[test]
fn rates_have_a_default_that_a_demonstration_has_not_and_nought_is_no_limit() {
    let rates = |arguments: &[&str], demonstration| {
        let mut protection = parsed(arguments).settings.protection;
        protection.demonstration = demonstration;
        let rates = protection.rates();
        [rates.user, rates.network].map(|rate| rate.map_or(0, std::num::NonZeroU32::get))
    };
    assert_eq!(rates(&[], false), [1_200, 6_000]);
    assert_eq!(rates(&[], true), [0, 0]);
    let set = ["--rate-limit-user", "0", "--rate-limit-network", "7"];
    assert_eq!(rates(&set, false), [0, 7]);
    assert_eq!(rates(&set, true), [0, 7]);
}

#[test]
fn a_proxy_is_an_address_or_a_network() {
    let proxies = parsed(&["--trusted-proxies", "10.0.0.1, fd00::/8"])
        .settings
        .sign_in
        .trusted_proxies;
    assert_eq!(proxies.len(), 2);
    assert_eq!(
        mistake(&["--trusted-proxies", "proxy.example.com"]),
        "--trusted-proxies (TRUSTED_PROXIES): must be an address such as 10.0.0.1 or a network such as 10.0.0.0/8"
    );
}

#[test]
fn a_database_in_a_folder_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |path: PathBuf| {
        let url = format!("sqlite:{}", path.display());
        parsed(&["--database-url-events", &url]).check()
    };
    assert_eq!(check(folder.path().join("new.db")), Ok(()));
    assert_eq!(
        check(folder.path().to_owned()),
        Err(Mistake::NotAFile(folder.path().to_owned()))
    );
    assert_eq!(
        check(folder.path().join("missing/new.db")),
        Err(Mistake::NoSuchFolder(folder.path().join("missing")))
    );
}

#[test]
fn a_command_that_works_on_what_is_kept_refuses_memory() {
    let check = |arguments: &[&str]| parsed(arguments).check();
    let memory = ["--database-url-events", "memory:"];
    assert_eq!(check(&memory), Ok(()));
    assert_eq!(
        check(&[&memory[..], &["bootstrap-admin", "--email", "ada@example.com"]].concat()),
        Err(Mistake::NothingKept("bootstrap-admin"))
    );
    assert_eq!(
        check(&[&memory[..], &["rebuild-projections"]].concat()),
        Err(Mistake::NothingKept("rebuild-projections"))
    );
}

#[test]
fn a_log_in_postgresql_needs_the_other_databases_there_too() {
    let needed = |arguments: &[&str]| match parsed(arguments).check() {
        Err(Mistake::Needed(name, _)) => Some(name),
        Ok(()) => None,
        other => panic!("{other:?}"),
    };
    let mut arguments = vec!["--database-url-events", "postgres://db/events"];
    assert_eq!(needed(&arguments), Some("DATABASE_URL_AUTH"));
    arguments.extend(["--database-url-auth", "postgres://db/auth"]);
    assert_eq!(needed(&arguments), Some("DATABASE_URL_PROJECTIONS"));
    arguments.extend(["--database-url-projections", "postgres://db/projections"]);
    assert_eq!(needed(&arguments), None);
    arguments.extend(["bootstrap-admin", "--email", "ada@example.com"]);
    assert_eq!(needed(&arguments), Some("REDIS_URL"));
    arguments.extend(["--redis-url", "redis://cache"]);
    assert_eq!(needed(&arguments), None);
}

#[test]
fn a_role_whose_work_does_not_exist_is_refused() {
    for (arguments, line) in [
        (
            &["--roles", "http,relay"][..],
            "--roles (ROLES): the role relay has nothing to do while REDPANDA_BROKERS is not set: the relay needs \
             a bus",
        ),
        (
            &["--roles", "http,projections"],
            "--roles (ROLES): the role projections has nothing to do while DATABASE_URL_PROJECTIONS is not set: \
             read models in memory belong to the process that answers requests",
        ),
        (
            &["--roles", "analytics"],
            "--roles (ROLES): is one of http, relay, projections",
        ),
        (&["--roles", ""], "--roles (ROLES): is one of http, relay, projections"),
        (
            &["--roles", "relay", "--redpanda-brokers", "localhost:9092", "demo"],
            "--roles (ROLES): the command demo needs the role http",
        ),
    ] {
        assert_eq!(mistake(arguments), line, "{arguments:?}");
    }
}

#[test]
fn a_process_that_alone_has_the_log_needs_the_role_http() {
    let relay = ["--roles", "relay", "--redpanda-brokers", "localhost:9092"];
    let projections = ["--database-url-projections", "postgres://db/projections"];
    let projections = [&["--roles", "projections"][..], &projections].concat();
    let with = |arguments: &[&str], more: &[&str]| parsed(&[arguments, more].concat()).check();
    for log in ["sqlite:box-office.db", "memory:"] {
        let log = ["--database-url-events", log];
        assert_eq!(with(&relay, &log), Err(Mistake::LogOfThisProcess), "{log:?}");
        assert_eq!(with(&projections, &log), Err(Mistake::LogOfThisProcess), "{log:?}");
        let relay_too = [&["--roles", "http,relay"][..], &relay[2..], &log].concat();
        assert_eq!(parsed(&relay_too).check(), Ok(()), "{log:?}");
    }
    let shared = [
        "--database-url-events",
        "postgres://db/events",
        "--database-url-auth",
        "postgres://db/auth",
    ];
    assert_eq!(with(&projections, &shared), Ok(()));
    let shared = [&shared[..], &projections[2..]].concat();
    assert_eq!(with(&relay, &shared), Ok(()));
}

#[test]
fn without_roles_a_process_does_everything_that_there_is_to_do() {
    let engine = parsed(&[]).settings.engine;
    assert!(
        [Role::Http, Role::Relay, Role::Projections]
            .iter()
            .all(|role| engine.plays(*role))
    );
}

#[test]
fn the_definition_of_the_flags_is_sound() {
    CommandLine::command().debug_assert();
}

fn parsed(arguments: &[&str]) -> CommandLine {
    CommandLine::try_parse_from(with_name(arguments)).unwrap()
}

fn mistake(arguments: &[&str]) -> String {
    match CommandLine::read(with_name(arguments)) {
        Err(Stop::Wrong(mistake)) => mistake.to_string(),
        other => panic!("{arguments:?} was not refused: {other:?}"),
    }
}

fn with_name(arguments: &[&str]) -> Vec<OsString> {
    std::iter::once("app-server")
        .chain(arguments.iter().copied())
        .map(OsString::from)
        .collect()
}
