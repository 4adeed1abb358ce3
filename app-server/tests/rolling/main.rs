//! Two servers behind nginx are restarted one after the other while customers buy: nobody is left without an answer.

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use box_office_tests::client::{Ask, Bearer, Connection, Target, path};
use serde_json::{Value, json};
use support::waiting::Patience;
use support::{Server, services};
use tempfile::TempDir;
use test_services::Port;

const CONFIGURATION: &str = include_str!("../../../deploy/nginx/nginx.conf");
const CUSTOMERS: usize = 12;
/// Where nginx keeps large bodies, below its own folder.
const TEMPORARY: &str = "client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; \
                         uwsgi_temp_path uwsgi; scgi_temp_path scgi;";

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_are_restarted_behind_nginx_and_every_request_is_answered() {
    let story = async {
        let installation = services::shared().await?;
        // The ports are this test's own to its end, also while a server is stopped.
        let ports = [Port::free()?, Port::free()?];
        let [first, second] = ports.each_ref().map(|port| port.address().to_string());
        let installation = installation.with("TRUSTED_PROXIES", "127.0.0.1/32");
        let mut servers = [
            Server::start_at(&installation, CUSTOMERS, &first)?,
            Server::start_at(&installation, CUSTOMERS, &second)?,
        ];
        let nginx = Nginx::start(&[&first, &second])?;
        let customers = Customers::start(&nginx.url, &servers[0])?;
        customers.get_answers(300)?;
        for (number, address) in [first, second].into_iter().enumerate() {
            servers[number].stop()?;
            customers.get_answers(300)?;
            servers[number] = Server::start_at(&installation, CUSTOMERS, &address)?;
            customers.get_answers(300)?;
        }
        let told = customers.stop().await?;
        ensure!(told.holds > 100, "only {} holds", told.holds);
        anyhow::Ok(())
    };
    story.await.expect("a rolling restart is not noticed");
}

/// A running nginx. It ends when this value is dropped.
struct Nginx {
    process: Child,
    url: String,
    _folder: TempDir,
    _port: Port,
}

impl Nginx {
    fn start(servers: &[&str; 2]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = Port::free()?;
        let address = port.address().to_string();
        let configuration = CONFIGURATION
            .replace("127.0.0.1:8081", servers[0])
            .replace("127.0.0.1:8082", servers[1])
            .replace("127.0.0.1:8080", &address)
            .replace("http {", &format!("http {{\n{TEMPORARY}"));
        fs::write(folder.path().join("nginx.conf"), configuration)?;
        let process = Command::new(program()?)
            .args([
                "-p",
                &folder.path().display().to_string(),
                "-c",
                "nginx.conf",
                "-e",
                "error.log",
            ])
            .args(["-g", &places(folder.path())])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut nginx = Self {
            process,
            url: format!("http://{address}"),
            _folder: folder,
            _port: port,
        };
        nginx.wait(&address)?;
        Ok(nginx)
    }

    fn wait(&mut self, address: &str) -> anyhow::Result<()> {
        let patience = Patience::new();
        while std::net::TcpStream::connect(address).is_err() {
            let ended = self.process.try_wait()?;
            ensure!(ended.is_none(), "nginx has ended: {ended:?}");
            patience.block(|| "nginx does not listen")?;
        }
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Keeps everything that nginx writes in the folder, and nginx itself in one process.
fn places(folder: &Path) -> String {
    let folder = folder.display();
    format!("daemon off; master_process off; pid {folder}/pid;")
}

fn program() -> anyhow::Result<&'static str> {
    let known = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
    let mut known = known.into_iter().filter(|path| Path::new(path).exists());
    known.next().context("nginx is not installed: ./test installs it")
}

/// Customers who hold seats, look at what is left and let the seats go again, as fast as they are answered.
struct Customers {
    over: Arc<AtomicBool>,
    answers: Arc<AtomicU32>,
    tasks: Vec<tokio::task::JoinHandle<anyhow::Result<u32>>>,
}

struct Told {
    holds: u32,
}

impl Customers {
    fn start(url: &str, server: &Server) -> anyhow::Result<Self> {
        let (over, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let mut tasks = Vec::new();
        for (number, session) in server.sessions()?.into_iter().enumerate() {
            let customer = Customer {
                connection: Connection::new(url.parse::<Target>()?),
                bearer: session.parse()?,
                event: server.event.clone(),
                number,
                answers: Arc::clone(&answers),
            };
            tasks.push(tokio::spawn(customer.buy_until(Arc::clone(&over))));
        }
        Ok(Self { over, answers, tasks })
    }

    /// Waits until the customers have got `more` answers.
    fn get_answers(&self, more: u32) -> anyhow::Result<()> {
        let wanted = self.answers.load(Ordering::Relaxed) + more;
        let patience = Patience::of(Duration::from_secs(180));
        while self.answers.load(Ordering::Relaxed) < wanted {
            let gave_up = self.tasks.iter().any(tokio::task::JoinHandle::is_finished);
            ensure!(!gave_up, "a customer gave up");
            patience.block(|| "customers get no more answers")?;
        }
        Ok(())
    }

    async fn stop(self) -> anyhow::Result<Told> {
        self.over.store(true, Ordering::Relaxed);
        let mut holds = 0;
        for task in self.tasks {
            holds += task.await??;
        }
        Ok(Told { holds })
    }
}

struct Customer {
    connection: Connection,
    bearer: Bearer,
    event: String,
    number: usize,
    answers: Arc<AtomicU32>,
}

impl Customer {
    /// Returns how many holds succeeded. Fails if a request is not answered, or is answered with an error that does not
    /// say when to come back.
    async fn buy_until(mut self, over: Arc<AtomicBool>) -> anyhow::Result<u32> {
        let mut holds = 0;
        while !over.load(Ordering::Relaxed) {
            let key = format!("{}-{holds}", self.number);
            let order = json!({ "event_id": self.event, "section": "General", "quantity": 1 });
            let hold = Ask::post(path("/api/reservations".to_owned())).json(order.to_string().into());
            let held = self.answer(hold.idempotency_key(key.parse()?), 201).await?;
            holds += 1;
            let reservation = held["reservation_id"].as_str().context("a reservation")?.to_owned();
            let look = Ask::get(path(format!("/api/events/{}/availability", self.event)));
            self.answer(look, 200).await?;
            let cancel = Ask::post(path(format!("/api/reservations/{reservation}/cancel")));
            let cancel = cancel
                .json("{}".into())
                .idempotency_key(format!("{key}-cancel").parse()?);
            self.answer(cancel, 200).await?;
        }
        Ok(holds)
    }

    async fn answer(&mut self, ask: Ask, status: u16) -> anyhow::Result<Value> {
        let patience = Patience::new();
        loop {
            let answer = self.connection.ask(ask.clone().bearer(&self.bearer)).await?;
            let body: Value = serde_json::from_slice(&answer.body)
                .with_context(|| String::from_utf8_lossy(&answer.body).into_owned())?;
            if answer.status == status {
                self.answers.fetch_add(1, Ordering::Relaxed);
                return Ok(body);
            }
            let Some(wait) = answer.retry_after.filter(|_| answer.status == 503) else {
                bail!("{} {body}", answer.status);
            };
            patience
                .pause_for(wait, || format!("the servers stay busy: {body}"))
                .await?;
        }
    }
}
