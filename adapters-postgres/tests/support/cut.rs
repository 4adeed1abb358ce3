//! A proxy that breaks a connection at a chosen statement.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// When the proxy cuts the connection: at the next statement that contains the given text, either after the server
/// got the statement or before.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// The server gets the statement, and the client gets no answer.
    AfterPassingOn(&'static str),
    InsteadOfPassingOn(&'static str),
}

/// A proxy between the tests and a server. The proxy cuts one connection when a test asks for that, and passes
/// everything else on.
#[derive(Debug)]
pub(crate) struct CuttingProxy {
    url: String,
    next: Arc<Mutex<Option<Cut>>>,
}

impl CuttingProxy {
    pub(crate) async fn before(url: &str) -> Self {
        let (_, rest) = url.split_once('@').expect("the URL names a user");
        let (address, database) = rest.split_once('/').expect("the URL names a database");
        let address = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let (credentials, _) = url.split_once('@').expect("the URL names a user");
        let next = Arc::new(Mutex::new(None));
        let proxy = Self {
            // The URL turns encryption off, since the proxy has to read the statements.
            url: format!("{credentials}@127.0.0.1:{port}/{database}?sslmode=disable"),
            next: Arc::clone(&next),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address)
                    .await
                    .expect("the server accepts connections");
                tokio::spawn(pass_on(client, server, Arc::clone(&next)));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn cut(&self, cut: Cut) {
        *self.next.lock().expect("no code panics while it holds this lock") = Some(cut);
    }

    pub(crate) fn has_cut(&self) -> bool {
        self.next
            .lock()
            .expect("no code panics while it holds this lock")
            .is_none()
    }
}

async fn pass_on(client: TcpStream, server: TcpStream, next: Arc<Mutex<Option<Cut>>>) {
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let swallow = Arc::new(AtomicBool::new(false));
    let answers = tokio::spawn(pass_answers_on(from_server, to_client, Arc::clone(&swallow)));
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        let statement = &buffer[..length];
        match cut_at(statement, &next) {
            Some(Cut::InsteadOfPassingOn(_)) => {
                answers.abort();
                return;
            }
            Some(Cut::AfterPassingOn(_)) => {
                swallow.store(true, Ordering::SeqCst);
                drop(to_server.write_all(statement).await);
                drop(answers.await);
                return;
            }
            None => {
                if to_server.write_all(statement).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn pass_answers_on(mut from_server: OwnedReadHalf, mut to_client: OwnedWriteHalf, swallow: Arc<AtomicBool>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
        if swallow.load(Ordering::SeqCst) || to_client.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Takes the planned cut if the bytes contain the text of its statement; otherwise returns `None`.
fn cut_at(statement: &[u8], next: &Mutex<Option<Cut>>) -> Option<Cut> {
    let mut next = next.lock().expect("no code panics while it holds this lock");
    let (Cut::AfterPassingOn(text) | Cut::InsteadOfPassingOn(text)) = (*next)?;
    let found = statement.windows(text.len()).any(|window| window == text.as_bytes());
    if found { next.take() } else { None }
}
