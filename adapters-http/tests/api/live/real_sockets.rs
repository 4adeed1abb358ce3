//! A server on a real listener, and clients over TCP.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{path, until_open};
use crate::support::{Socket, TestServer};

struct Listening {
    address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Listening {
    async fn of(server: &TestServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = server
            .router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(axum::serve(listener, service).into_future());
        Self { address, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn open(&self, path: &str) -> Socket<TcpStream> {
        Socket::open(self.connect().await, path, &[]).await.unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn a_hundred_clients_see_every_sale_and_leave_nothing_behind() {
    let server = TestServer::start_with(|setup| {
        setup.live.visitors = true;
        setup.engine.max_live_holds = None;
    });
    let (olga, alice) = (server.owner("olga").await, server.customer("alice").await);
    let event = server.event_on_sale(&olga).await;
    let listening = Listening::of(&server).await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        let mut socket = listening.open(&path(&event)).await;
        let sequence = socket.message().await["sequence"].clone();
        clients.push((socket, sequence));
    }
    assert_eq!(server.live.count(), 100);
    for left in (0..5).rev() {
        alice.reserve(&event, "General", 1).await.expect(201);
        for (socket, sequence) in &mut clients {
            let message = socket.message().await;
            assert!(
                message["type"] == "availability_snapshot" || message["since"] == *sequence,
                "{message}"
            );
            assert_eq!(message["sections"]["General"]["available"], left);
            *sequence = message["sequence"].clone();
        }
    }
    drop(clients);
    until_open(&server, 0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_between_the_answer_and_the_first_message_gives_its_place_back() {
    let server = TestServer::start_with(|setup| setup.live.visitors = true);
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let listening = Listening::of(&server).await;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        path(&event)
    );
    for reads_the_answer in [false, true] {
        for _ in 0..20 {
            let mut client = listening.connect().await;
            client.write_all(request.as_bytes()).await.unwrap();
            if reads_the_answer {
                let mut head = [0; 12];
                client.read_exact(&mut head).await.unwrap();
                assert_eq!(&head, b"HTTP/1.1 101");
            }
            // Closing with what was not read resets the connection.
            drop(client);
        }
    }
    until_open(&server, 0).await;
}

#[tokio::test]
async fn a_stream_over_tcp_gives_its_place_back_when_its_client_goes_away() {
    let server = TestServer::start();
    let olga = server.owner("olga").await;
    let event = server.event_on_sale(&olga).await;
    let listening = Listening::of(&server).await;
    let mut client = listening.connect().await;
    let request = format!("GET /api/events/{event}/availability/stream HTTP/1.1\r\nHost: x\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    assert_eq!(server.live.count(), 1);
    drop(client);
    until_open(&server, 0).await;
}
