//! TLS and basic authentication, configured by a subset of exporter-toolkit's web.yml; unknown keys are refused, never ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::yaml;

/// Headers that http_server_config may add.
const ALLOWED_HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    tls_server_config: Option<Tls>,
    #[serde(deserialize_with = "yaml::unique")]
    basic_auth_users: BTreeMap<String, String>,
    http_server_config: Http,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tls {
    cert_file: PathBuf,
    key_file: PathBuf,
    client_ca_file: Option<PathBuf>,
    client_auth_type: Option<String>,
    min_version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Http {
    /// Not supported: only `false` is accepted.
    http2: bool,
    #[serde(deserialize_with = "yaml::unique")]
    headers: BTreeMap<String, String>,
}

/// The access rules of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Web {
    /// `None` for plain HTTP.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Users and the bcrypt hashes of their passwords; empty if no authentication is required.
    pub(super) users: BTreeMap<String, String>,
    /// Headers of every response.
    pub(super) headers: BTreeMap<String, String>,
    /// The file itself, and the certificate and key files.
    pub(super) files: Vec<PathBuf>,
}

/// Reads the file and the certificates it names; their paths are relative to its directory.
pub(super) fn load(file: &Path) -> Result<Web> {
    let text = yaml::File::read(file)?;
    let raw: Raw = text.parsed()?;
    let http = "http_server_config";
    if raw.http_server_config.http2 {
        return Err(text.wrong(&[http, "http2"], "it is not supported; set it to false"));
    }
    for header in raw.http_server_config.headers.keys() {
        if !ALLOWED_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(header)) {
            let why = format_args!("it cannot be set; known are {}", ALLOWED_HEADERS.join(", "));
            return Err(text.wrong(&[http, "headers", header], why));
        }
    }
    for (user, hash) in &raw.basic_auth_users {
        if !hash.is_ascii() || hash.parse::<bcrypt::HashParts>().is_err() {
            let why = "the password is not a bcrypt hash; htpasswd -nBC 10 '' makes one";
            return Err(text.wrong(&["basic_auth_users", user], why));
        }
    }
    let mut files = vec![file.to_owned()];
    let folder = file.parent().unwrap_or(Path::new("."));
    let tls = raw.tls_server_config.map(|tls| {
        let cert = folder.join(&tls.cert_file);
        let key = folder.join(&tls.key_file);
        let authority = tls.client_ca_file.as_ref().map(|file| folder.join(file));
        files.extend([cert.clone(), key.clone()].into_iter().chain(authority.clone()));
        server(&tls, &cert, &key, authority.as_deref())
            .map_err(|error| text.wrong(&["tls_server_config"], format_args!("{error:#}")))
    });
    let tls = tls.transpose()?.map(Arc::new);
    Ok(Web { tls, users: raw.basic_auth_users, headers: raw.http_server_config.headers, files })
}

fn server(tls: &Tls, cert: &Path, key: &Path, authority: Option<&Path>) -> Result<ServerConfig> {
    static ONLY_13: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];
    let versions: &[&SupportedProtocolVersion] = match tls.min_version.as_deref() {
        None | Some("TLS12") => rustls::ALL_VERSIONS,
        Some("TLS13") => &ONLY_13,
        Some(other) => bail!("min_version {other} is not supported; it takes TLS12 or TLS13"),
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("no certificate can be read from {}", cert.display()))?;
    ensure!(!certificates.is_empty(), "there is no certificate in {}", cert.display());
    let key =
        PrivateKeyDer::from_pem_file(key).with_context(|| format!("no key can be read from {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions)?;
    let asked = tls.client_auth_type.as_deref().filter(|kind| !matches!(*kind, "" | "NoClientCert"));
    let builder = match (asked, authority) {
        (None, None) => builder.with_no_client_auth(),
        (Some("RequireAndVerifyClientCert"), Some(authority)) => {
            let mut roots = RootCertStore::empty();
            let certificates = CertificateDer::pem_file_iter(authority)
                .with_context(|| format!("no certificate can be read from {}", authority.display()))?;
            for certificate in certificates {
                roots.add(certificate?)?;
            }
            builder
                .with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build()?)
        }
        (Some("RequireAndVerifyClientCert"), None) => bail!("client_auth_type needs a client_ca_file"),
        (Some(other), _) => {
            bail!("client_auth_type {other} is not supported; it takes RequireAndVerifyClientCert or NoClientCert")
        }
        (None, Some(_)) => bail!("client_ca_file has no effect without client_auth_type RequireAndVerifyClientCert"),
    };
    Ok(builder.with_single_cert(certificates, key)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::load;

    #[test]
    fn unknown_keys_and_unusable_values_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.yml");
        for (text, said) in [
            ("basic_auth_users:\n  me: secret\n", "not a bcrypt hash"),
            ("tls_server_config:\n  cert_file: a\n  key_file: b\n  client_allowed_sans: [x]\n", "line 4"),
            ("rate_limit:\n  burst: 1\n", "unknown field"),
            ("tls_server_config:\n  cert_file: missing.pem\n  key_file: b\n", "missing.pem"),
            ("tls_server_config:\n  min_version: TLS10\n", "TLS12 or TLS13"),
            ("http_server_config:\n  http2: true\n", "http2"),
            ("http_server_config:\n  headers: {Server: x}\n", "Server"),
            ("a: [", "web.yml"),
        ] {
            fs::write(&file, text).unwrap();
            let error = format!("{:#}", load(&file).unwrap_err());
            assert!(error.contains(said), "{text}: {error}");
        }
        fs::write(&file, "basic_auth_users:\n  me: $2y$04$abcdefghijklmnopqrstuuC4Q0yHM.XkHqSyLkQIYkJpUaJGmpv0W\n")
            .unwrap();
        assert_eq!(load(&file).unwrap().users.len(), 1);
        fs::write(&file, "").unwrap();
        assert!(load(&file).is_ok());
    }
}
