#![expect(
    clippy::print_stderr,
    reason = "a process that cannot start has no log yet, and one that ends has none any more"
)]

use std::process::ExitCode;
use std::time::Duration;

use app_server::bootstrap::bootstrap_admin;
use app_server::config::{Command, CommandLine, Stop};
use app_server::dead_letters::dead_letters;
use app_server::demo::demo;
use app_server::erase_user::erase_user;
use app_server::migrate::migrate;
use app_server::openapi::openapi;
use app_server::rebuild::rebuild_projections;
use app_server::serve::serve;
use app_server::telemetry;
use app_server::terminal::tell;
use app_server::users::users;

/// Unlike the allocator of the operating system, this allocator gives freed memory back to the system after a burst.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a process that has ended waits for threads that still wait for a service.
const LOOK_UPS_PATIENCE: Duration = Duration::from_secs(1);

/// The exit code for a setting that cannot be used.
const WRONG_SETTING: u8 = 2;

fn main() -> anyhow::Result<ExitCode> {
    let line = match CommandLine::read(std::env::args_os()) {
        Ok(line) => line,
        Err(Stop::Told(text)) => {
            // Printing fails only if nobody reads the output any more, as after `| head`, and that is no failure of
            // this program.
            let _ = text.print();
            return Ok(ExitCode::SUCCESS);
        }
        Err(Stop::Wrong(mistake)) => {
            eprintln!("app-server: {mistake}");
            return Ok(ExitCode::from(WRONG_SETTING));
        }
    };
    telemetry::start(&line.settings.log)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(run(&line));
    // A look-up that a client library makes in a thread of its own may still wait for a broker that is down.
    runtime.shutdown_timeout(LOOK_UPS_PATIENCE);
    let lost = telemetry::finish();
    if lost > 0 {
        eprintln!("app-server: {lost} lines of the log were lost, because nobody read them in time");
    }
    match ended {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("app-server: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn run(line: &CommandLine) -> anyhow::Result<()> {
    let settings = &line.settings;
    match line.to_run() {
        Command::Serve => serve(settings).await,
        Command::Demo(wanted) => demo(settings, &wanted).await,
        Command::BootstrapAdmin(wanted) => tell(&bootstrap_admin(settings, &wanted).await?),
        Command::Users(wanted) => tell(&users(settings, &wanted).await?),
        Command::EraseUser(wanted) => tell(&erase_user(settings, &wanted).await?),
        Command::Migrate(wanted) => tell(&migrate(&settings.storage, wanted).await?),
        Command::DeadLetters(wanted) => tell(&dead_letters(settings, &wanted).await?),
        Command::Openapi => tell(&openapi(&settings.http)),
        Command::RebuildProjections => tell(&rebuild_projections(settings).await?),
    }
}
