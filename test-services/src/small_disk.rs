//! A small disk of a test's own, to be filled up: a file system in memory, gone when we are.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::watchdog::Watchdog;
use crate::{finding, process};

/// What a full disk is full of.
const BALLAST: &str = "ballast";
/// Smaller writes fit as long as a page does.
const PAGE: [u8; 4096] = [0; 4096];

/// A file system that holds little. It is unmounted when the value is dropped, and also when the process dies.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    _watchdog: Watchdog,
}

impl SmallDisk {
    /// Mounts an empty one that everybody may write to. Nothing where mounting is not permitted, as to anybody but root
    /// and in most containers; it is said then, and the test has to imitate a full disk.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn mount(megabytes: u32) -> Result<Option<Self>> {
        let folder = process::folder("disk", None)?;
        let disk = Self {
            // Before the mount: whatever becomes of us, nothing stays mounted.
            _watchdog: Watchdog::that_unmounts(folder.path())?,
            folder: folder.keep(),
        };
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={megabytes}m,mode=1777"))
            .arg("box-office-test")
            .arg(&disk.folder);
        if let Err(reason) = process::run(&mut mount) {
            finding::tell(&format!(
                "NO DISK CAN BE FILLED HERE, that takes the right to mount; a full disk is only imitated: {reason:#}"
            ));
            return Ok(None);
        }
        Ok(Some(disk))
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Takes every page that is left. What others have in their files they can still overwrite.
    ///
    /// # Errors
    /// When writing fails for another reason than a full disk.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .context("cannot make the ballast")?;
        loop {
            match ballast.write(&PAGE) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("cannot write the ballast"),
            }
        }
    }

    /// Gives everything back that filling it took.
    ///
    /// # Errors
    /// When it was not filled.
    pub fn make_room(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("cannot remove the ballast")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join(BALLAST)
    }
}

/// Lets no file of a process grow beyond a size, or takes the limit away: as near to a full disk as one comes without a
/// disk. The process has to ignore SIGXFSZ.
///
/// # Errors
/// When there is no such process, or it is somebody else's.
pub fn limit_file_sizes(process: u32, bytes: Option<u64>) -> Result<()> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(pid.context("not the id of a process")?), Resource::Fsize, limit)
        .context("the sizes of its files cannot be limited")?;
    Ok(())
}
