//! TLS without a proxy: a certificate from files, which may be replaced while the server runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::config::TlsFiles;

/// How often the files are read again. Programs that renew certificates replace files in many ways, so nothing but
/// their content shows that they have changed.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Accepts TLS connections with the certificate that is in the files now.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the certificate and its key, and reads them again whenever the files change, until `stopping` is
    /// cancelled.
    ///
    /// # Errors
    /// When the files cannot be read, or do not hold a certificate and its key.
    pub(super) async fn from_files(files: &TlsFiles, stopping: CancellationToken) -> anyhow::Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let texts = Texts::read(files).await?;
        let key = texts.parse(files, &provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(key))));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?
            .with_no_client_auth();
        let mut config = config.with_cert_resolver(Arc::clone(&current) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        tokio::spawn(stopping.run_until_cancelled_owned(follow(files.clone(), texts, provider, current)));
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Current {
    fn replace(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

/// The content of the two files.
#[derive(PartialEq, Eq)]
struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Texts {
    async fn read(files: &TlsFiles) -> anyhow::Result<Self> {
        let read = async |path: &Path, setting: &str| {
            let text = tokio::fs::read(path).await;
            text.with_context(|| format!("{setting}: {} cannot be read", path.display()))
        };
        Ok(Self {
            certificate: read(&files.certificate, "--tls-cert (TLS_CERT)").await?,
            key: read(&files.key, "--tls-key (TLS_KEY)").await?,
        })
    }

    fn parse(&self, files: &TlsFiles, provider: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
        let of = |setting: &str, path: &PathBuf| format!("{setting}: {}", path.display());
        let certificate = || of("--tls-cert (TLS_CERT)", &files.certificate);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .with_context(certificate)?;
        anyhow::ensure!(!chain.is_empty(), "{} has no certificate in PEM", certificate());
        let key = PrivateKeyDer::from_pem_slice(&self.key).with_context(|| of("--tls-key (TLS_KEY)", &files.key))?;
        CertifiedKey::from_der(chain, key, provider).context("TLS_CERT and TLS_KEY do not belong together")
    }
}

/// Reads the files again and again. Content that is no certificate with its key is reported once, and the certificate
/// that was read before stays.
async fn follow(files: TlsFiles, mut known: Texts, provider: Arc<CryptoProvider>, current: Arc<Current>) {
    let mut unreadable = false;
    loop {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        match Texts::read(&files).await {
            Ok(texts) if texts == known => unreadable = false,
            Ok(texts) => {
                unreadable = false;
                match texts.parse(&files, &provider) {
                    Ok(key) => {
                        current.replace(key);
                        info!("new connections get the new TLS certificate");
                    }
                    Err(why) => error!(why = format!("{why:#}"), "the old TLS certificate stays in use"),
                }
                known = texts;
            }
            Err(why) if !unreadable => {
                unreadable = true;
                error!(why = format!("{why:#}"), "the old TLS certificate stays in use");
            }
            Err(_) => {}
        }
    }
}
