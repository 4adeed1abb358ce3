//! Measures how late many WebSockets get what happens: of a box office, and of a server that does nothing else, so that
//! two runs on one machine can be compared. `scripts/bench-live` does both.
#![expect(clippy::print_stdout, reason = "a report is what this tool is for")]

mod box_office;
mod reference;
mod sockets;

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use box_office_tests::client::{Bearer, Target};
use clap::{Args, Parser};
use tokio::runtime;
use tokio::task::LocalSet;

use crate::box_office::BoxOffice;
use crate::reference::Reference;
use crate::sockets::Audience;

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(about = "Measures how late WebSockets get what happens")]
enum Command {
    /// Serve what is said by POST /say/N to the WebSockets at /ws/N, and nothing else
    Serve {
        #[arg(long, default_value = "1")]
        events: usize,
    },
    /// Open WebSockets, make something happen again and again, and report how late they get it
    Watch(Watch),
}

#[derive(Debug, Args)]
struct Watch {
    /// Where the server listens, as in http://127.0.0.1:8080
    #[arg(long)]
    url: Target,
    /// The process of the server, whose memory and processor time are reported
    #[arg(long)]
    pid: u32,
    /// The session of an administrator and of a customer: the server is a box office. Without it, it is `serve`
    #[arg(long, num_args = 2, value_names = ["ADMIN", "CUSTOMER"])]
    sessions: Option<Vec<Bearer>>,
    #[arg(long, default_value = "10000")]
    sockets: usize,
    #[arg(long, default_value = "1")]
    events: usize,
    /// How many things happen in a second, in all events together
    #[arg(long, default_value = "5")]
    rate: u32,
    #[arg(long, default_value = "20")]
    seconds: u32,
}

fn main() -> anyhow::Result<()> {
    let command = Command::parse();
    if let Command::Serve { events } = command {
        return runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(reference::serve(events));
    }
    let Command::Watch(watch) = command else {
        return Ok(());
    };
    // All sockets are read by one thread, so that the server has a core.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(LocalSet::new().run_until(measure(watch)))
}

/// Whoever makes things happen.
enum Stage {
    BoxOffice(BoxOffice),
    Reference(Reference),
}

async fn measure(watch: Watch) -> anyhow::Result<()> {
    let mut stage = match &watch.sessions {
        Some(sessions) => {
            let [admin, customer] = &sessions[..] else {
                unreachable!("clap takes two")
            };
            let office = BoxOffice::open(watch.url.clone(), admin, customer.clone(), watch.events).await?;
            Stage::BoxOffice(office)
        }
        None => Stage::Reference(Reference::open(watch.url.clone(), watch.events)),
    };
    let paths: Vec<_> = match &stage {
        Stage::BoxOffice(office) => office.paths(),
        Stage::Reference(reference) => reference.paths(),
    };
    let idle = memory(watch.pid)?;
    let audience = Rc::new(Audience::new(watch.events));
    audience.seat(&watch.url, &paths, watch.sockets).await?;
    let (memory_before, cpu_before) = (memory(watch.pid)?, processor_time(watch.pid)?);
    let each = memory_before.saturating_sub(idle) as f64 / watch.sockets as f64 / 1024.0;

    let began = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_secs(1) / watch.rate);
    let mut done = vec![0_u64; watch.events];
    for number in 0..watch.rate * watch.seconds {
        beat.tick().await;
        let event = number as usize % watch.events;
        done[event] += 1;
        audience.happens(event, done[event], Instant::now());
        match &mut stage {
            Stage::BoxOffice(office) => office.hold(event).await?,
            Stage::Reference(reference) => reference.say(event, done[event]).await?,
        }
    }
    let all_seen = tokio::time::timeout(Duration::from_secs(30), audience.have_seen(&done)).await;
    let took = began.elapsed();
    let cpu = processor_time(watch.pid)? - cpu_before;
    ensure!(
        all_seen.is_ok(),
        "{} sockets have not seen the last update",
        audience.behind(&done)
    );
    let [p50, p95, p99] = audience.lateness();
    println!(
        "sockets {} events {} rate {} p50_ms {p50:.1} p95_ms {p95:.1} p99_ms {p99:.1} overtaken {:.4} kib_each {each:.1} cores {:.3}",
        watch.sockets,
        watch.events,
        watch.rate,
        audience.overtaken(),
        cpu.as_secs_f64() / took.as_secs_f64(),
    );
    Ok(())
}

/// Returns how many bytes of memory a process has.
fn memory(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().next())
        .context("no VmRSS")?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}

/// Returns how long a process has used processors so far.
fn processor_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.collect::<Result<Vec<_>, _>>()?.iter().sum();
    // Linux counts a hundred ticks a second for programs, whatever it counts for itself.
    Ok(Duration::from_millis(ticks * 10))
}
