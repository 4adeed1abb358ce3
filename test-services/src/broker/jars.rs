//! Apache Kafka's programs, fetched once by Maven into the user's cache and kept there.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::geteuid;

use crate::{packages, process};

pub(crate) const KAFKA: &str = "4.4.0";

const POM: &str = include_str!("pom.xml");
/// Pinned, so that no run depends on what was released meanwhile.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Returns the folder of the jars, which it fetches unless they are there.
pub(crate) fn fetched() -> Result<PathBuf> {
    let cache = cache()?;
    let jars = cache.join(format!("kafka-{KAFKA}"));
    if jars.is_dir() {
        return Ok(jars);
    }
    let lock = File::create(cache.join("lock")).context("cannot create the lock of the cache")?;
    lock.lock().context("cannot lock the cache")?;
    once(&jars, fetch)?;
    Ok(jars)
}

/// Has a folder filled under another name and renames it, so that what is there is complete. The caller holds the lock.
fn once(folder: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut unfinished = folder.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).with_context(|| format!("cannot remove {}", unfinished.display()))?;
    }
    fs::create_dir(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
    fill(&unfinished)?;
    fs::rename(&unfinished, folder).with_context(|| format!("cannot rename {}", unfinished.display()))
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

/// The user's cache; where there is none to write to, one among the temporary files.
fn cache() -> Result<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let users = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
    let users = users.map(|cache| cache.join("box-office"));
    if let Some(cache) = users.filter(|cache| fs::create_dir_all(cache).is_ok()) {
        return Ok(cache);
    }
    let cache = env::temp_dir().join(format!("box-office-cache-{}", geteuid().as_raw()));
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    Ok(cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_is_not_fetched_again() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("jars");
        once(&folder, |path| Ok(fs::write(path.join("a.jar"), "")?)).unwrap();
        once(&folder, |_| panic!("it is there already")).unwrap();
        assert!(folder.join("a.jar").is_file());
    }

    #[test]
    fn a_fetch_that_broke_off_leaves_nothing_that_passes_for_complete() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("jars");
        let broken = once(&folder, |path| {
            fs::write(path.join("half.jar"), "")?;
            anyhow::bail!("the line went dead")
        });
        assert!(broken.is_err());
        assert!(!folder.exists());

        once(&folder, |path| Ok(fs::write(path.join("a.jar"), "")?)).unwrap();
        assert!(!folder.join("half.jar").exists());
    }
}
