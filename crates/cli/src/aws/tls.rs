//! Trusted certificates: loaded only for https, from a single bundle file if there is one.

use std::fs;
use std::path::Path;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Why there are no trusted certificates.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// The named bundle cannot be read.
    #[error("could not read the certificate bundle `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The bundle contains no certificate.
    #[error("the certificate bundle `{0}` has no usable certificate")]
    Empty(String),
    /// There is no bundle.
    #[error("there are no trusted certificates on this machine")]
    NoBundle,
}

/// Loads the certificates: from `named` (`AWS_CA_BUNDLE`, `ca_bundle`, `SSL_CERT_FILE`), or from the distribution's
/// bundle.
pub(crate) fn load_trust_roots(named: Option<&Path>) -> Result<TlsContext, TlsError> {
    let path = match named {
        Some(path) => path.to_owned(),
        // The HTTP client uses the platform's own store.
        None if cfg!(any(target_os = "macos", windows)) => return Ok(TlsContext::default()),
        // rustls-native-certs would also read the directory beside the bundle, which costs hundreds of files and some
        // milliseconds for each call.
        None => openssl_probe::probe().cert_file.ok_or(TlsError::NoBundle)?,
    };
    let shown = || path.display().to_string();
    let pem = fs::read(&path).map_err(|source| TlsError::Unreadable { path: shown(), source })?;
    // The SDK's client aborts the program on a certificate that it cannot parse, so only valid ones are passed on. Real
    // bundles do contain invalid ones.
    let mut roots = rustls::RootCertStore::empty();
    let mut store = TrustStore::empty();
    for block in certificate_blocks(&pem) {
        if CertificateDer::from_pem_slice(block).is_ok_and(|certificate| roots.add(certificate).is_ok()) {
            store.add_pem_certificate(block);
        }
    }
    if roots.is_empty() {
        return Err(TlsError::Empty(shown()));
    }
    TlsContext::builder().with_trust_store(store).build().map_err(|_| TlsError::Empty(shown()))
}

/// Returns each certificate of a bundle, from its BEGIN line to its END line.
fn certificate_blocks(mut pem: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let find = |text: &[u8], part: &[u8]| text.windows(part.len()).position(|window| window == part);
    let mut blocks = Vec::new();
    while let Some(start) = find(pem, BEGIN)
        && let Some(block) = pem.get(start..)
        && let Some(length) = find(block, END)
        && let Some((block, rest)) = block.split_at_checked(length + END.len())
    {
        blocks.push(block);
        pem = rest;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_cut_into_its_certificates() {
        let pem = b"# a\n-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\nx\n-----BEGIN CERTIFICATE-----\nBB\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\ncut";
        let blocks = certificate_blocks(pem);
        assert_eq!(blocks.len(), 2);
        assert!(
            blocks.iter().all(|b| b.starts_with(b"-----BEGIN") && b.ends_with(b"-----END CERTIFICATE-----"))
        );
    }

    #[test]
    fn a_bundle_without_a_usable_certificate_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bundle.pem");
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(
            matches!(load_trust_roots(Some(&path)), Err(TlsError::Empty(p)) if p.ends_with("bundle.pem"))
        );
        assert!(matches!(load_trust_roots(Some(&dir.path().join("none"))), Err(TlsError::Unreadable { .. })));
    }
}
