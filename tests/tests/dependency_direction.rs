//! Checks the direction of the dependencies between the crates of the workspace.
//!
//! A dependency in the wrong direction compiles and works, and so would be noticed only when somebody wants the domain
//! without the database. This test fails at once. Some modules are also closed to a crate that may use the rest of
//! their crate.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// A direct dependency, as the manifest of `from` declares it.
#[derive(Debug, Clone)]
struct Dependency {
    from: String,
    to: String,
    kind: DependencyKind,
}

/// The crates of the workspace that the shipped code of a crate may use.
enum MayUse {
    Only(&'static [&'static str]),
    EverythingBut(&'static str),
    Everything,
}

impl MayUse {
    fn allows(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.contains(&name),
            Self::EverythingBut(banned) => name != *banned,
            Self::Everything => true,
        }
    }
}

/// Returns which crates a crate may use; `None` for a crate that has no rule yet.
fn may_use(name: &str) -> Option<MayUse> {
    Some(match name {
        "test-services" | "ticketing-ports" => MayUse::Only(&[]),
        "ticketing-domain" => MayUse::Only(&["ticketing-ports"]),
        "ticketing-runtime" => MayUse::Only(&["ticketing-domain", "ticketing-ports"]),
        "ticketing-testkit" | "adapters-http" => {
            MayUse::Only(&["ticketing-domain", "ticketing-ports", "ticketing-runtime"])
        }
        "adapters-metrics" | "adapters-otel" => MayUse::Only(&["ticketing-ports", "ticketing-runtime"]),
        adapter if adapter.starts_with("adapters-") => MayUse::Only(&["ticketing-ports"]),
        "app-server" => MayUse::EverythingBut("ticketing-testkit"),
        "box-office-examples" | "box-office-tests" => MayUse::Everything,
        _ => return None,
    })
}

/// Returns the external crates that the shipped code of a crate must not use, so that it stays free of I/O.
fn must_do_without(name: &str) -> &'static [&'static str] {
    match name {
        "ticketing-ports" => &["axum", "rand", "serde_json", "sqlx", "tokio", "tracing"],
        "ticketing-domain" => &["axum", "rand", "sqlx", "tokio", "tracing"],
        _ => &[],
    }
}

/// Modules that a crate must not name although it may use the rest of their crate. The desk and the domain decide who
/// may see or do what, so that all ways to call them are alike.
const CLOSED: &[(&str, &str, &str)] = &[("adapters-http", "ticketing_domain", "policy")];

/// Returns whether Rust code names `module` of `krate`, in a `use` or in a path. Comments do not count.
fn names(source: &str, krate: &str, module: &str) -> bool {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join(" ");
    let root = format!("{krate}::");
    code.split(&root).skip(1).any(|path| {
        let path = path.trim_start();
        let end = match path.strip_prefix('{') {
            Some(_) => path.find(';'),
            None => path.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':' | '*'))),
        };
        let path = &path[..end.unwrap_or(path.len())];
        path.starts_with('*')
            || path
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .any(|word| word == module)
    })
}

/// Returns every Rust file in a crate's `src`: its path and its text.
fn sources(krate: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a crate has its code in `src`") {
            let path = entry.expect("a folder of the workspace can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).expect("code is UTF-8");
                sources.push((path, source));
            }
        }
    }
    sources
}

/// Returns a message for every dependency that points the wrong way, and for every crate of the workspace without a
/// rule.
///
/// Dev-dependencies may point anywhere: a test may use any adapter, and the tests of every crate may use the testkit.
fn wrong_ways(members: &[String], dependencies: &[Dependency]) -> Vec<String> {
    let unruled = members
        .iter()
        .filter(|member| may_use(member).is_none())
        .map(|member| format!("{member} has no place in the direction of dependency: give it one in this test"));
    let wrong = dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .filter(|Dependency { from, to, .. }| {
            let inside = members.contains(to) && may_use(from).is_some_and(|rule| !rule.allows(to));
            inside || must_do_without(from).contains(&to.as_str())
        })
        .map(|Dependency { from, to, .. }| format!("{from} must not depend on {to}"));
    unruled.chain(wrong).collect()
}

fn workspace() -> (Vec<String>, Vec<Dependency>) {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo reads its own workspace");
    let members = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let dependencies = metadata
        .packages
        .iter()
        .flat_map(|package| {
            package.dependencies.iter().map(|dependency| Dependency {
                from: package.name.to_string(),
                to: dependency.name.clone(),
                kind: dependency.kind,
            })
        })
        .collect();
    (members, dependencies)
}

#[test]
fn every_dependency_points_the_one_way() {
    let (members, dependencies) = workspace();
    assert!(members.len() > 5, "the workspace was not read: {members:?}");

    let wrong = wrong_ways(&members, &dependencies);

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_dependency_that_points_the_wrong_way_is_found() {
    for (from, to) in [
        ("ticketing-ports", "ticketing-domain"),
        ("ticketing-ports", "serde_json"),
        ("ticketing-domain", "ticketing-runtime"),
        ("ticketing-domain", "tokio"),
        ("ticketing-runtime", "adapters-memory"),
        ("ticketing-runtime", "ticketing-testkit"),
        ("adapters-sqlite", "ticketing-domain"),
        ("adapters-redis", "adapters-memory"),
        ("adapters-http", "adapters-sqlite"),
        ("app-server", "ticketing-testkit"),
    ] {
        assert_eq!(
            wrong_ways_with(from, to, DependencyKind::Normal),
            [format!("{from} must not depend on {to}")]
        );
    }
}

#[test]
fn a_build_dependency_is_held_to_the_same_direction() {
    let wrong = wrong_ways_with("ticketing-domain", "ticketing-runtime", DependencyKind::Build);
    assert_eq!(wrong, ["ticketing-domain must not depend on ticketing-runtime"]);
}

#[test]
fn a_test_may_use_what_shipped_code_may_not() {
    let wrong = wrong_ways_with("ticketing-runtime", "adapters-memory", DependencyKind::Development);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_new_crate_without_a_rule_is_found() {
    let (mut members, dependencies) = workspace();
    members.push("ticketing-extras".to_owned());
    assert_eq!(
        wrong_ways(&members, &dependencies),
        ["ticketing-extras has no place in the direction of dependency: give it one in this test"]
    );
}

#[test]
fn nobody_names_a_module_that_is_closed_to_them() {
    for (krate, of, module) in CLOSED {
        let sources = sources(krate);
        assert!(sources.len() > 10, "the code of {krate} was not read");
        for (path, source) in sources {
            assert!(
                !names(&source, of, module),
                "{} names {of}::{module}, which is closed to {krate}",
                path.display()
            );
        }
    }
}

#[test]
fn a_closed_module_is_found_however_it_is_named() {
    for code in [
        "use ticketing_domain::policy;",
        "use ticketing_domain::policy::may_refund;",
        "use ticketing_domain::{catalog::EventDraft, policy};",
        "use ticketing_domain::{\n    refusal::Refusal,\n    policy::{may_manage, may_refund},\n};",
        "use ticketing_domain::*;",
        "if !ticketing_domain::policy::may_refund(actor) {}",
    ] {
        assert!(names(code, "ticketing_domain", "policy"), "{code}");
    }
    for code in [
        "use ticketing_domain::refusal::Refusal;\nlet policy = 1;",
        "// as ticketing_domain::policy says",
        "use ticketing_domain::{catalog::EventDraft};\nfn policy() {}",
        "fn f(refusal: ticketing_domain::refusal::Refusal, policy: u8) {}",
    ] {
        assert!(!names(code, "ticketing_domain", "policy"), "{code}");
    }
}

/// Checks the workspace with one made-up dependency added.
fn wrong_ways_with(from: &str, to: &str, kind: DependencyKind) -> Vec<String> {
    let (mut members, mut dependencies) = workspace();
    if from.starts_with("adapters-") && !members.iter().any(|member| member == from) {
        members.push(from.to_owned());
    }
    dependencies.push(Dependency {
        from: from.to_owned(),
        to: to.to_owned(),
        kind,
    });
    wrong_ways(&members, &dependencies)
}
