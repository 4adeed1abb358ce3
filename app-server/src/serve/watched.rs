//! The connection below TLS. It reports whether the client takes what is written: TLS takes bytes into a buffer of its
//! own, which says nothing about the client.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;

/// A connection that reports to its [`Activity`].
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    /// Notes whether the client takes what is written.
    fn note<T>(&self, outcome: Poll<T>) -> Poll<T> {
        match outcome {
            Poll::Ready(_) => self.activity.client_takes_bytes(),
            Poll::Pending => self.activity.client_takes_nothing(),
        }
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use rustls::crypto::ring;
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

    use super::*;

    /// Both ends of a TLS connection that keeps few bytes on its way.
    async fn tls(
        activity: &Arc<Activity>,
    ) -> (
        server::TlsStream<Watched<DuplexStream>>,
        client::TlsStream<DuplexStream>,
    ) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let provider = Arc::new(ring::default_provider());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (near, far) = duplex(4096);
        let accepting = TlsAcceptor::from(Arc::new(server)).accept(Watched::new(near, Arc::clone(activity)));
        let name = ServerName::try_from("localhost").unwrap();
        let connecting = TlsConnector::from(Arc::new(client)).connect(name, far);
        tokio::try_join!(accepting, connecting).unwrap()
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_noticed_although_tls_still_takes_bytes() {
        let activity = Arc::new(Activity::new());
        activity.request_begins();
        activity.request_ends();
        let (mut server, mut client) = tls(&activity).await;
        let parts_that_tls_takes = 16;
        for _ in 0..parts_that_tls_takes {
            assert!(poll!(Box::pin(server.write(&[0; 1024]))).is_ready(), "TLS has room");
        }
        assert!(!activity.is_quiet(), "most of the bytes wait for the client");
        let mut taken = vec![0; parts_that_tls_takes * 1024];
        let (flushed, read) = tokio::join!(server.flush(), client.read_exact(&mut taken));
        flushed.unwrap();
        read.unwrap();
        assert!(activity.is_quiet(), "the client has taken every byte");
    }
}
