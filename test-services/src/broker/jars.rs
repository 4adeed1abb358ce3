//! The programs of Apache Kafka. Maven fetches them once into the cache of the user.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{cache, packages, process};

pub(crate) const KAFKA: &str = "4.4.0";

const POM: &str = include_str!("pom.xml");
/// The version of this Maven plugin is fixed, so that a new release of it does not change the tests.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Returns the folder of the jars, and fetches them first if they are missing.
pub(crate) fn fetched() -> Result<PathBuf> {
    cache::kept(&format!("kafka-{KAFKA}"), fetch)
}

fn fetch(folder: &Path) -> Result<()> {
    let maven = packages::found_or_installed("Maven", &["maven", "default-jre-headless"], || packages::on_path("mvn"))?;
    let project = tempfile::tempdir().context("cannot create a temporary folder")?;
    let pom = project.path().join("pom.xml");
    fs::write(&pom, POM.replace("@KAFKA@", KAFKA))?;
    let mut command = Command::new(maven);
    command
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&pom)
        .arg(COPY)
        .arg(format!("-DoutputDirectory={}", folder.display()));
    process::run(&mut command).with_context(|| format!("cannot fetch Apache Kafka {KAFKA}"))
}
