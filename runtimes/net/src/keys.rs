//! The keys of a cluster: its own certificate authority, and a certificate for each member.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Why keys cannot be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There are keys already.
    #[error("{}: there are keys already; remove them first if they shall be made anew, at every member", .0.display())]
    Exists(PathBuf),
    /// The name of the cluster is no name.
    #[error("'{0}' is no name of a cluster: 1 to 40 of a-z, 0-9 and -, not at the ends")]
    Name(String),
    /// A file holds no certificate or key.
    #[error("{}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Keys that do not go together.
    #[error("{}: {what}", folder.display())]
    Useless {
        /// Their folder.
        folder: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// What a member needs to prove who it is, and to know who others are.
#[derive(Clone, Debug)]
pub struct Keys {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) client: Arc<ClientConfig>,
}

/// Whether a cluster may have this name: one label of a domain name, since certificates carry it.
pub(crate) fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// The name that every member's certificate carries.
pub(crate) fn cluster_name(cluster: &str) -> String {
    format!("{cluster}.isles")
}

/// The name that the certificate of one member carries.
pub(crate) fn member_name(cluster: &str, member: usize) -> String {
    format!("node-{member}.{cluster}.isles")
}

/// Whether a certificate carries a name.
pub(crate) fn carries(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let (Ok(certificate), Ok(name)) =
        (webpki::EndEntityCert::try_from(certificate), ServerName::try_from(name))
    else {
        return false;
    };
    certificate.verify_is_valid_for_subject_name(&name).is_ok()
}

/// Makes an authority for `cluster` and certificates for so many members, in a folder: `ca.pem`, `ca.key`, `node-0.pem`, `node-0.key` and
/// so on. Each member needs `ca.pem` and its own two; `ca.key` makes further members, keep it elsewhere.
///
/// # Errors
/// When the name is none, keys are there already, or the system refuses.
pub fn make(folder: &Path, cluster: &str, members: usize) -> Result<(), KeysError> {
    if !is_name(cluster) {
        return Err(KeysError::Name(cluster.to_owned()));
    }
    if folder.join("ca.pem").exists() {
        return Err(KeysError::Exists(folder.to_owned()));
    }
    std::fs::create_dir_all(folder).map_err(|source| KeysError::Io { path: folder.to_owned(), source })?;
    let made = generate(cluster, members)
        .map_err(|error| KeysError::Useless { folder: folder.to_owned(), what: error.to_string() })?;
    made.iter().try_for_each(|(name, text)| write(&folder.join(name), text))
}

/// Names of files and what is in them.
fn generate(cluster: &str, members: usize) -> Result<Vec<(String, String)>, rcgen::Error> {
    let authority_key = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, format!("isles cluster {cluster}"));
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&authority_key)?;
    let mut files =
        vec![("ca.key".to_owned(), authority_key.serialize_pem()), ("ca.pem".to_owned(), certificate.pem())];
    let issuer = rcgen::Issuer::new(params, authority_key);
    for member in 0..members {
        let key = rcgen::KeyPair::generate()?;
        let names = vec![cluster_name(cluster), member_name(cluster, member)];
        let mut params = rcgen::CertificateParams::new(names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, member_name(cluster, member));
        params.extended_key_usages =
            vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &issuer)?;
        files.push((format!("node-{member}.pem"), certificate.pem()));
        files.push((format!("node-{member}.key"), key.serialize_pem()));
    }
    Ok(files)
}

/// Writes a file that only its owner reads.
fn write(path: &Path, text: &str) -> Result<(), KeysError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| KeysError::Io { path: path.to_owned(), source })
}

impl Keys {
    /// The keys of a member, from the folder that [`make`] filled.
    ///
    /// # Errors
    /// When a file is absent or holds something else, or they do not go together.
    pub fn read(folder: &Path, member: usize) -> Result<Self, KeysError> {
        let useless = |what: String| KeysError::Useless { folder: folder.to_owned(), what };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&folder.join("ca.pem"))? {
            roots.add(certificate).map_err(|error| useless(format!("ca.pem: {error}")))?;
        }
        let roots = Arc::new(roots);
        let chain = certificates(&folder.join(format!("node-{member}.pem")))?;
        let path = folder.join(format!("node-{member}.key"));
        let text = read(&path)?;
        let key = PrivateKeyDer::from_pem_slice(&text)
            .map_err(|error| KeysError::Malformed { path, what: error.to_string() })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .map_err(|error| useless(error.to_string()))?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|builder| {
                builder.with_client_cert_verifier(verifier).with_single_cert(chain.clone(), key.clone_key())
            })
            .map_err(|error| useless(error.to_string()))?;
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|builder| builder.with_root_certificates(roots).with_client_auth_cert(chain, key))
            .map_err(|error| useless(error.to_string()))?;
        client.resumption = rustls::client::Resumption::disabled();
        Ok(Self { server: Arc::new(server), client: Arc::new(client) })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeysError> {
    std::fs::read(path).map_err(|source| KeysError::Io { path: path.to_owned(), source })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, KeysError> {
    let malformed = |what: String| KeysError::Malformed { path: path.to_owned(), what };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| malformed(error.to_string()))?;
    if certificates.is_empty() {
        Err(malformed("there is no certificate in it".to_owned()))
    } else {
        Ok(certificates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_carry_names() {
        let folder = std::env::temp_dir().join(format!("isles-keys-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        make(&folder, "atoll", 2).unwrap();
        Keys::read(&folder, 1).unwrap();
        let certificate = certificates(&folder.join("node-1.pem")).unwrap().remove(0);
        assert!(carries(&certificate, "atoll.isles") && carries(&certificate, "node-1.atoll.isles"));
        assert!(!carries(&certificate, "node-0.atoll.isles") && !carries(&certificate, "reef.isles"));
        assert!(matches!(make(&folder, "atoll", 2), Err(KeysError::Exists(_))));
        assert!(matches!(Keys::read(&folder, 2), Err(KeysError::Io { .. })));
        std::fs::copy(folder.join("node-0.key"), folder.join("node-1.key")).unwrap();
        assert!(matches!(Keys::read(&folder, 1), Err(KeysError::Useless { .. })));
        std::fs::write(folder.join("node-1.key"), "no key").unwrap();
        assert!(matches!(Keys::read(&folder, 1), Err(KeysError::Malformed { .. })));
        std::fs::remove_dir_all(&folder).unwrap();
        for name in ["", "-a", "A", "a.b", &"a".repeat(41)] {
            assert!(matches!(make(&folder, name, 1), Err(KeysError::Name(_))), "{name}");
        }
    }
}
