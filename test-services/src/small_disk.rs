//! A small disk that a test can fill up: a file system in memory that is unmounted when this process ends.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::process;
use crate::say::tell;
use crate::watchdog::Watchdog;

/// The name of the file that fills the disk.
const BALLAST: &str = "ballast";
/// What is written again and again until the disk is full. A disk has room for whole pages only, so when a page of
/// 4096 bytes no longer fits, no smaller write fits either.
const PAGE: [u8; 4096] = [0; 4096];

/// A small file system. It is unmounted when the value is dropped, and also when the process dies.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    _watchdog: Watchdog,
}

impl SmallDisk {
    /// Mounts an empty disk that everybody may write to. Returns `None` with a message if mounting is not permitted,
    /// which is so for every user but root and in most containers. The test must then imitate a full disk.
    ///
    /// # Errors
    /// Fails if no folder can be made.
    pub fn mount(megabytes: u32) -> Result<Option<Self>> {
        let folder = process::folder("disk", None)?;
        let disk = Self {
            // The watchdog starts before the mount, so that nothing stays mounted however this process ends.
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
            tell(&format!(
                "NO DISK CAN BE FILLED HERE, that takes the right to mount; a full disk is only imitated: {reason:#}"
            ));
            return Ok(None);
        }
        Ok(Some(disk))
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Fills all free space. Programs can still overwrite what their files contain already.
    ///
    /// # Errors
    /// Fails if writing fails for another reason than a full disk.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .context("cannot create the file that fills the disk")?;
        loop {
            match ballast.write(&PAGE) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("cannot write the file that fills the disk"),
            }
        }
    }

    /// Frees the space that `fill` has taken.
    ///
    /// # Errors
    /// Fails if the disk was not filled before.
    pub fn make_room(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("cannot remove the file that fills the disk")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join(BALLAST)
    }
}

/// Limits the size to which a process can let its files grow, or removes the limit (`None`). This imitates a full disk.
/// The process must ignore SIGXFSZ.
///
/// # Errors
/// Fails if there is no such process, or it belongs to another user.
pub fn limit_file_sizes(process: u32, bytes: Option<u64>) -> Result<()> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(
        Some(pid.context("this number is not the id of a process")?),
        Resource::Fsize,
        limit,
    )
    .context("the sizes of its files cannot be limited")?;
    Ok(())
}
