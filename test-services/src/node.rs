//! Node.js, and the npm packages that its programs need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::{cache, packages, process};

const OLDEST: (u32, u32) = (20, 19);

/// A program for Node.js: its files, including `package.json` and its lock file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeProgram {
    pub(crate) name: &'static str,
    pub(crate) files: &'static [(&'static str, &'static str)],
}

impl NodeProgram {
    /// Returns a folder with the files of the program and the npm packages that it names. The packages are fetched
    /// again only if one of the files has changed.
    pub(crate) fn installed(&self) -> Result<PathBuf> {
        cache::kept(&self.folder_name(), |folder| self.install(folder))
    }

    /// The name changes with the content of every file, so that an old cache is never used.
    fn folder_name(&self) -> String {
        let mut digest = Sha256::new();
        for (_, content) in self.files {
            digest.update(content);
        }
        let digest = digest.finalize();
        let hex: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{hex}", self.name)
    }

    fn install(&self, folder: &Path) -> Result<()> {
        let npm = packages::found_or_installed("npm", &["npm"], || packages::on_path("npm"))?;
        for (name, content) in self.files {
            fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
        }
        let mut command = Command::new(npm);
        command
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder);
        process::run(&mut command).with_context(|| format!("cannot fetch the npm packages that {} needs", self.name))
    }
}

/// Returns the path of Node.js. Installs it first if it is missing.
pub(crate) fn node() -> Result<PathBuf> {
    let node = packages::found_or_installed("Node.js", &["nodejs", "npm"], || packages::on_path("node"))?;
    let output = Command::new(&node)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {}", node.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match version(&text) {
        Some(version) if version >= OLDEST => Ok(node),
        _ => bail!(
            "Node.js {}.{} or newer is needed, {} is {:?}",
            OLDEST.0,
            OLDEST.1,
            node.display(),
            text.trim()
        ),
    }
}

/// Reads the first two numbers of a line such as `v22.11.0`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_its_first_two_numbers() {
        assert_eq!(version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(version("v24.0.0-nightly"), Some((24, 0)));
        assert_eq!(version("node: not found"), None);
    }
}
