#![expect(clippy::print_stderr, reason = "a process that cannot start has no log to say so in")]

use std::process::ExitCode;

use app_server::config::{CommandLine, Stop};
use app_server::telemetry;

/// Freed pages of a burst go back to the system, which the system's own allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a setting that cannot be used.
const WRONG_SETTING: u8 = 2;

fn main() -> anyhow::Result<ExitCode> {
    let line = match CommandLine::read(std::env::args_os()) {
        Ok(line) => line,
        Err(Stop::Told(text)) => {
            // Nobody is left to tell when the reader has gone, as `| head` does.
            let _ = text.print();
            return Ok(ExitCode::SUCCESS);
        }
        Err(Stop::Wrong(mistake)) => {
            eprintln!("app-server: {mistake}");
            return Ok(ExitCode::from(WRONG_SETTING));
        }
    };
    telemetry::start(&line.settings.log)?;
    tracing::info!(command = ?line.to_run(), "settings read");
    Ok(ExitCode::SUCCESS)
}
