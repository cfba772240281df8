//! TLS, with the certificate authorities that the system trusts.

use super::Settings;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, OtherError,
    RootCertStore, SignatureScheme, StreamOwned,
};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Speaks TLS over `stream` to the server `host`. The handshake is done when this returns.
pub fn connect<S: Read + Write + Send + 'static>(
    mut stream: S,
    host: &str,
    settings: &Settings,
) -> io::Result<StreamOwned<ClientConnection, S>> {
    let name = ServerName::try_from(host.to_string())
        .map_err(|_| io::Error::other(format!("{host:?} cannot be the name of a server")))?;
    let config = config(settings)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection
            .complete_io(&mut stream)
            .map_err(|e| in_words(e, host))?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// Python's words for certificates that are refused, with rustls' reason.
fn in_words(error: io::Error, host: &str) -> io::Error {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    let text = match inner {
        Some(Error::InvalidCertificate(why)) => {
            let why = match why {
                CertificateError::UnknownIssuer => {
                    "unable to get local issuer certificate".to_string()
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "certificate has expired".to_string()
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    format!("Hostname mismatch, certificate is not valid for '{host}'.")
                }
                CertificateError::Other(why) if own_certificate(why) => {
                    "self-signed certificate".to_string()
                }
                other => other.to_string(),
            };
            format!("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why}")
        }
        Some(other) => format!("[SSL] {other}"),
        None => return error,
    };
    io::Error::other(text)
}

/// Whether webpki refused a server's certificate because it is that of an authority.
fn own_certificate(why: &OtherError) -> bool {
    why.0.to_string().contains("CaUsedAsEndEntity")
}

fn config(settings: &Settings) -> io::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match settings.validate_certs {
        true => trusting(settings, &provider)?,
        false => Arc::new(Anything(Arc::clone(&provider))),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some(file) = &settings.client_cert else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(file)?;
    let key_file = settings.client_key.as_ref().unwrap_or(file);
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|e| io::Error::other(format!("no key in {}: {e}", key_file.display())))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(io::Error::other)
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let wrong = |e| io::Error::other(format!("no certificate in {}: {e}", file.display()));
    CertificateDer::pem_file_iter(file)
        .map_err(wrong)?
        .collect::<Result<_, _>>()
        .map_err(wrong)
}

fn trusting(settings: &Settings, provider: &Arc<CryptoProvider>) -> io::Result<Arc<Trusting>> {
    let given = |folder: Option<&Path>, file: Option<&Path>| {
        rustls_native_certs::load_certs_from_paths(file, folder).certs
    };
    let mut trusted = match &settings.ca_path {
        Some(path) if path.is_dir() => given(Some(path), None),
        Some(path) => certificates(path)?,
        None => Vec::new(),
    };
    let (file, folder) = (
        settings.variable("SSL_CERT_FILE"),
        settings.variable("SSL_CERT_DIR"),
    );
    trusted.extend(match (&file, &folder) {
        (None, None) => rustls_native_certs::load_native_certs().certs,
        (file, folder) => given(folder.as_ref().map(Path::new), file.as_ref().map(Path::new)),
    });
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted.iter().cloned());
    let inner = match roots.is_empty() {
        true => {
            return Err(io::Error::other(
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: the system has no certificate \
                 authorities (package ca-certificates), and ca_path names none",
            ));
        }
        false => WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)),
    };
    Ok(Arc::new(Trusting {
        inner: inner.build().map_err(io::Error::other)?,
        trusted,
    }))
}

/// As webpki checks, but a server may show a certificate that is itself among the trusted ones, as those have
/// that one makes for oneself.
#[derive(Debug)]
struct Trusting {
    inner: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = self
            .inner
            .verify_server_cert(end_entity, intermediates, name, ocsp, now);
        match &checked {
            // the last of webpki's checks of the certificate itself: the dates were right
            Err(Error::InvalidCertificate(CertificateError::Other(why)))
                if own_certificate(why) && self.trusted.iter().any(|t| t == end_entity) =>
            {
                rustls::client::verify_server_name(
                    &ParsedCertificate::try_from(end_entity)?,
                    name,
                )?;
                Ok(ServerCertVerified::assertion())
            }
            _ => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `validate_certs: false`: any certificate will do, but the server must have its key.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
