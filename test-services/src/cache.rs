//! Files that were fetched from the network, kept in the cache of the user for later runs and other processes.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::geteuid;

/// Returns the folder of that name in the cache. If it does not exist, `fill` fills it, and other processes that need
/// it wait.
pub(crate) fn kept(name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = cache()?;
    let folder = cache.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    let lock = File::create(cache.join("lock")).context("cannot create the lock of the cache")?;
    lock.lock().context("cannot lock the cache")?;
    once(&folder, fill)?;
    Ok(folder)
}

/// Fills a folder under another name and then renames it, so that a folder of the final name is always complete. The
/// caller holds the lock.
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

/// Returns the cache folder of the user, or a temporary folder if that cannot be written to.
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
