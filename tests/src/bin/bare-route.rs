//! A server with a single axum route, which answers with the same JSON every time. Benchmarks compare a server with it,
//! because nothing written with axum answers faster.
#![expect(clippy::print_stdout, reason = "the address has to be told")]
#![expect(clippy::print_stderr, reason = "warnings must not mix with the address")]

use std::path::PathBuf;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use clap::Parser;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Answers every request for / with what is in a file.
#[derive(Debug, Parser)]
struct Args {
    /// The file with the JSON
    file: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let json = std::fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let json = Bytes::from(json);
    let answer = move || std::future::ready(([(CONTENT_TYPE, "application/json")], json.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/", listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            eprintln!("TCP_NODELAY cannot be set: {error}");
        }
    });
    axum::serve(listener, Router::new().route("/", get(answer))).await?;
    Ok(())
}
