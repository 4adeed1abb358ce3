//! One keep-alive HTTP/1.1 connection, reopened when the server closed it.
//!
//! The client runs on the same cores as the server that is measured, so sending a prepared request allocates no
//! memory: paths, bodies and header values are shared bytes.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;

const CONSISTENCY: HeaderName = HeaderName::from_static("ticketing-consistency");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How long a request may take. It is longer than the limit of the server, after which the server answers 504.
const PATIENCE: Duration = Duration::from_secs(40);

/// How many times a read is repeated while the server is busy.
const BUSY_READS: u32 = 10;

/// Where the server listens, as in `http://127.0.0.1:8080`.
#[derive(Debug, Clone)]
pub struct Target {
    address: Arc<str>,
    host: HeaderValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be http://, a host and optionally a port")]
pub struct InvalidTarget;

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| InvalidTarget)?;
        let authority = uri
            .authority()
            .filter(|_| uri.scheme_str() == Some("http") && uri.path() == "/");
        let authority = authority.ok_or(InvalidTarget)?;
        Ok(Self {
            address: format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)).into(),
            host: authority.as_str().parse().map_err(|_| InvalidTarget)?,
        })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.address)
    }
}

/// The `Authorization` header with a session id. `Debug` does not print its value.
#[derive(Debug, Clone)]
pub struct Bearer(HeaderValue);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a session id must be visible ASCII characters without spaces")]
pub struct InvalidSession;

impl FromStr for Bearer {
    type Err = InvalidSession;

    fn from_str(session_id: &str) -> Result<Self, Self::Err> {
        let visible = !session_id.is_empty() && session_id.bytes().all(|b| b.is_ascii_graphic());
        let header = HeaderValue::try_from(format!("Bearer {session_id}"));
        let mut header = header.ok().filter(|_| visible).ok_or(InvalidSession)?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

/// A request that was not sent yet. A clone shares its bytes, so cloning is cheap.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    path: Uri,
    bearer: Option<Bearer>,
    consistency: Option<HeaderValue>,
    idempotency_key: Option<HeaderValue>,
    others: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Ask {
    pub fn get(path: Uri) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: Uri) -> Self {
        Self::new(Method::POST, path)
    }

    fn new(method: Method, path: Uri) -> Self {
        Self {
            method,
            path,
            bearer: None,
            consistency: None,
            idempotency_key: None,
            others: Vec::new(),
            body: Bytes::new(),
        }
    }

    #[must_use]
    pub fn bearer(mut self, bearer: &Bearer) -> Self {
        self.bearer = Some(bearer.clone());
        self
    }

    /// Makes a read wait until it shows the write that was answered with this token.
    #[must_use]
    pub fn seeing(mut self, consistency: Option<&HeaderValue>) -> Self {
        self.consistency = consistency.cloned();
        self
    }

    #[must_use]
    pub fn idempotency_key(mut self, key: HeaderValue) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// Adds one header to the request.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.others.push((name, value));
        self
    }

    #[must_use]
    pub fn json(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    fn into_request(self, host: &HeaderValue) -> Request<Full<Bytes>> {
        let has_body = !self.body.is_empty();
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path;
        let headers = request.headers_mut();
        headers.insert(HOST, host.clone());
        let optional = [
            (AUTHORIZATION, self.bearer.map(|bearer| bearer.0)),
            (CONSISTENCY, self.consistency),
            (IDEMPOTENCY_KEY, self.idempotency_key),
            (CONTENT_TYPE, has_body.then_some(JSON)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        for (name, value) in self.others {
            headers.append(name, value);
        }
        request
    }
}

/// Builds the path of one resource. Ids and fixed words need no escaping.
///
/// # Panics
/// Panics if the text is not a path, which is a mistake of the caller.
pub fn path(text: String) -> Uri {
    Uri::try_from(text).expect("a path of fixed words and ids is a URI")
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// The consistency token with which a later read shows this write.
    pub consistency: Option<HeaderValue>,
    /// How long the server asks the customer to wait before the next request.
    pub retry_after: Option<Duration>,
    pub body: Bytes,
}

/// Why no answer to a request has arrived.
#[derive(Debug, Error)]
pub enum TransportError {
    /// The request was not sent, because no server accepts connections.
    #[error("the server does not accept connections")]
    Connect(#[source] std::io::Error),
    /// The connection broke before the whole answer had arrived, so the server may have carried the request out.
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    /// No answer came in time. The server may have carried the request out.
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    TimedOut,
}

/// Why a read did not return the resource.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("{path} was answered with {status}: {body}")]
    Refused {
        path: String,
        status: StatusCode,
        body: String,
    },
    #[error("the answer to {path} does not have the form that the contract describes")]
    Shape {
        path: String,
        #[source]
        source: serde_json::Error,
    },
}

#[derive(Debug)]
pub struct Connection {
    target: Target,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Makes a connection that is opened by the first request.
    pub fn new(target: Target) -> Self {
        Self { target, sender: None }
    }

    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    /// Fails if there is no answer. The next request opens a new connection.
    pub async fn ask(&mut self, ask: Ask) -> Result<Answer, TransportError> {
        let request = ask.into_request(&self.target.host);
        let mut sender = self.ready_sender().await?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok((parts, body))
        };
        let (mut parts, body) = timeout(PATIENCE, exchange)
            .await
            .map_err(|_| TransportError::TimedOut)?
            .map_err(TransportError::Broken)?;
        self.sender = Some(sender);
        Ok(Answer {
            status: parts.status,
            consistency: parts.headers.remove(CONSISTENCY),
            retry_after: parts.headers.get(RETRY_AFTER).and_then(seconds),
            body,
        })
    }

    /// Reads one resource; `None` if the server answers 404. If the server is busy, waits as long as it asks and
    /// tries again.
    ///
    /// # Errors
    /// Fails if there is no answer, or the answer is another refusal or is not valid.
    pub async fn read<T: DeserializeOwned>(&mut self, ask: Ask) -> Result<Option<T>, ReadError> {
        let mut answer = self.ask(ask.clone()).await?;
        for _ in 0..BUSY_READS {
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
            tokio::time::sleep(answer.retry_after.unwrap_or(Duration::from_secs(1))).await;
            answer = self.ask(ask.clone()).await?;
        }
        let path = || ask.path.to_string();
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => match serde_json::from_slice(&answer.body) {
                Ok(value) => Ok(Some(value)),
                Err(source) => Err(ReadError::Shape { path: path(), source }),
            },
            status => Err(ReadError::Refused {
                path: path(),
                status,
                body: String::from_utf8_lossy(&answer.body).into_owned(),
            }),
        }
    }

    /// Returns the open connection. Opens a new one if there is none, or if the server has closed it between two
    /// requests.
    async fn ready_sender(&mut self) -> Result<SendRequest<Full<Bytes>>, TransportError> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = TcpStream::connect(&*self.target.address)
            .await
            .map_err(TransportError::Connect)?;
        stream.set_nodelay(true).map_err(TransportError::Connect)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(TransportError::Broken)?;
        // The result of this task is not needed: the request that is under way gets the error of the connection.
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn seconds(header: &HeaderValue) -> Option<Duration> {
    header.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_plain_http_origin() {
        for (text, address) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost/", "localhost:80"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), address);
        }
        for text in ["", "localhost:8080", "https://localhost", "http://localhost/api"] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_session_id_cannot_smuggle_a_header_and_is_not_printed() {
        for text in ["", "a b", "a\r\nX-Role: admin"] {
            assert!(text.parse::<Bearer>().is_err(), "{text:?}");
        }
        assert!(!format!("{:?}", "s3cret".parse::<Bearer>().unwrap()).contains("s3cret"));
    }
}
