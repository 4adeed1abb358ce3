//! TLS without a proxy.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Edge;

/// A certificate that vouches for itself, and its key.
struct Pair {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

impl Pair {
    fn new() -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        Ok(Self {
            certificate: made.cert.der().clone(),
            certificate_pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        })
    }

    fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::write(folder.join("key.pem"), &self.key_pem)?;
        fs::write(folder.join("cert.pem"), &self.certificate_pem)?;
        Ok(())
    }

    /// Connects and trusts only this certificate.
    async fn connect(&self, edge: &Edge, protocols: &[&[u8]]) -> anyhow::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(&edge.address).await?;
        let name = ServerName::try_from("localhost")?;
        Ok(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
    }

    /// Asks for the health of the server in HTTP/1.1.
    async fn ask(&self, edge: &Edge) -> anyhow::Result<String> {
        let mut stream = self.connect(edge, &[b"http/1.1"]).await?;
        let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

fn start(pair: &Pair, settings: &[(&str, &str)]) -> anyhow::Result<(TempDir, Edge)> {
    let folder = tempfile::tempdir()?;
    pair.write(folder.path())?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let mut all = vec![("TLS_CERT", certificate.as_str()), ("TLS_KEY", key.as_str())];
    all.extend_from_slice(settings);
    let edge = Edge::start(&all)?;
    Ok((folder, edge))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let story = async {
        let (old, new) = (Pair::new()?, Pair::new()?);
        let (folder, edge) = start(&old, &[])?;
        ensure!(old.ask(&edge).await?.starts_with("HTTP/1.1 200 "));

        fs::write(folder.path().join("cert.pem"), "no certificate")?;
        edge.process.says("the old TLS certificate stays in use")?;
        ensure!(old.ask(&edge).await?.starts_with("HTTP/1.1 200 "));

        new.write(folder.path())?;
        edge.process.says("new connections get the new TLS certificate")?;
        ensure!(new.ask(&edge).await?.starts_with("HTTP/1.1 200 "));
        ensure!(old.ask(&edge).await.is_err(), "the old certificate is still in use");
        anyhow::Ok(())
    };
    story.await.expect("the certificate can be renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_and_server_agree_on_http_2_if_the_client_speaks_it() {
    let story = async {
        let pair = Pair::new()?;
        let (_folder, edge) = start(&pair, &[])?;
        let modern = pair.connect(&edge, &[b"h2", b"http/1.1"]).await?;
        ensure!(modern.get_ref().1.alpn_protocol() == Some(&b"h2"[..]));
        let old = pair.connect(&edge, &[b"http/1.1"]).await?;
        ensure!(old.get_ref().1.alpn_protocol() == Some(&b"http/1.1"[..]));
        anyhow::Ok(())
    };
    story.await.expect("the protocol is agreed on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_come_to_its_end_is_cut_off() {
    let story = async {
        let (_folder, edge) = start(&Pair::new()?, &[("HEAD_TIMEOUT_SECONDS", "1")])?;
        let mut half = edge.connect().await?;
        // The beginning of a TLS record with a handshake of 512 bytes.
        half.send([22, 3, 1, 2, 0]).await?;
        half.closed().await?;
        anyhow::Ok(())
    };
    story.await.expect("the connection is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_cannot_be_used_does_not_start() {
    let story = async {
        let (old, other) = (Pair::new()?, Pair::new()?);
        let folder = tempfile::tempdir()?;
        old.write(folder.path())?;
        fs::write(folder.path().join("key.pem"), &other.key_pem)?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let why = Edge::start(&[("TLS_CERT", &path("cert.pem")), ("TLS_KEY", &path("key.pem"))]);
        let why = why.err().context("the server starts")?.to_string();
        ensure!(why.contains("TLS_CERT and TLS_KEY do not belong together"), "{why}");
        anyhow::Ok(())
    };
    story.await.expect("the server says why it does not start");
}
