//! TLS on the clients' port, with and without certificates of clients.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::{Node, with_node};

fn connector(keys: &Path, with_certificate: bool) -> TlsConnector {
    let read = |name: &str| CertificateDer::from_pem_file(keys.join(name)).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(read("ca.pem")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = match with_certificate {
        true => {
            let key = PrivateKeyDer::from_pem_file(keys.join("node-1.key")).expect("a key");
            builder.with_client_auth_cert(vec![read("node-1.pem")], key).expect("a pair")
        }
        false => builder.with_no_client_auth(),
    };
    TlsConnector::from(Arc::new(config))
}

/// What a client over TLS is answered to one command; nothing if it is turned away.
async fn ask(node: &Node, connector: TlsConnector, command: &str) -> String {
    let told = async {
        let stream = TcpStream::connect(node.address).await?;
        let name = ServerName::try_from("node-0.clients.isles").expect("a name");
        let mut stream = connector.connect(name, stream).await?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await?;
        let mut told = String::new();
        stream.read_to_string(&mut told).await?;
        Ok::<String, std::io::Error>(told)
    };
    told.await.unwrap_or_default()
}

#[test]
fn clients_are_served_over_tls_and_others_are_turned_away() {
    let folder = std::env::temp_dir().join(format!("isles-tls-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    isles_net::keys::make(&folder, "clients", 2).expect("keys");
    let file = |name: &str| folder.join(name).display().to_string();
    let pair = format!("certificate = \"{}\", key = \"{}\"", file("node-0.pem"), file("node-0.key"));
    with_node(&format!("[clients]\ntls = {{ {pair} }}"), |node| async {
        let large = "x".repeat(200_000);
        let told = ask(&node, connector(&folder, false), &format!("PING {}", &large[..50_000])).await;
        assert_eq!(told.len(), 50_000 + 10 + 5);
        let mut plain = node.client().await;
        plain.send("PING\r\n").await;
        assert!(plain.is_closed().await, "plain text is served");
        let told = ask(&node, connector(&folder, false), "INFO stats").await;
        assert!(told.contains("total_connections_received:3\r\n"), "{told}");
        node
    });
    with_node(&format!("[clients]\ntls = {{ {pair}, authority = \"{}\" }}", file("ca.pem")), |node| async {
        assert_eq!(ask(&node, connector(&folder, true), "PING").await, "+PONG\r\n+OK\r\n");
        assert_eq!(ask(&node, connector(&folder, false), "PING").await, "");
        node
    });
    std::fs::remove_dir_all(&folder).expect("removed");
}
