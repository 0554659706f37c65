//! What a host is told before it starts.

use std::path::PathBuf;
use std::time::Duration;

use isles_kernel::ProcessId;

use crate::keys::{Keys, KeysError, is_name};
use crate::log::{LogError, LogSettings};

/// Who a process is, where the others are, and where it keeps what it must not forget.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This process: its place among the members.
    pub me: ProcessId,
    /// Where the members listen for each other, `host:port`, by their handles; the same list at every member.
    pub members: Vec<String>,
    /// Where this process listens, if that differs from what the others dial (behind a translation of addresses, say).
    pub listen: Option<String>,
    /// The cluster's name: 1 to 40 of `a-z`, `0-9` and `-`. Others are refused.
    pub cluster: String,
    /// What the processes speak, with a version. Others are refused.
    pub protocol: String,
    /// How processes know each other.
    pub security: Security,
    /// Where records go; without it, the process is volatile: records count as durable at once, and are forgotten.
    pub log: Option<LogSettings>,
    /// Where to record every input, to be replayed.
    pub recording: Option<Recording>,
    /// Bounds.
    pub limits: Limits,
}

/// Where inputs are recorded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file; it must not be there yet.
    pub path: PathBuf,
    /// What whoever replays it needs to make the protocol's configuration again.
    pub about: serde_json::Value,
}

/// How processes know each other.
#[derive(Clone, Debug)]
pub enum Security {
    /// Not at all. Allowed where all members are on loopback.
    Plain,
    /// By certificates of the cluster's authority, both ways (TLS 1.3). Datagrams are sealed with keys of the streams.
    Tls(Keys),
}

/// Bounds of what others may take, and when they count as gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// No message is longer, in bytes. Default 16 MiB, as the codec's.
    pub message_bytes_max: usize,
    /// When more bytes wait for one process, its stream is given up, and it is unreachable. Default 64 MiB, a guess.
    pub queue_bytes_max: usize,
    /// A stream on which nothing was heard for so long is given up. Default 5 s, a guess: long enough for a stalled disk.
    pub silence: Duration,
    /// The longest pause between attempts to reach a process. Default 1 s, a guess.
    pub backoff_max: Duration,
    /// Incoming streams at most. Default 1024, a guess.
    pub streams_max: usize,
    /// Incoming streams at most that have not said who they are. Default 64, a guess.
    pub handshakes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: isles_kernel::codec::BYTES_MAX,
            queue_bytes_max: 64 << 20,
            silence: Duration::from_secs(5),
            backoff_max: Duration::from_secs(1),
            streams_max: 1024,
            handshakes_max: 64,
        }
    }
}

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no such member.
    #[error("this is process {0}, but there are {1} members")]
    NoMember(u32, usize),
    /// An address is none.
    #[error("'{0}' is no address of a member: host:port")]
    Address(String),
    /// Two members have one address.
    #[error("'{0}' is the address of two members")]
    Twice(String),
    /// Plain text beyond loopback.
    #[error(
        "'{0}' is not on loopback: without TLS, anybody on the way could read and write; make keys, or use 127.0.0.1"
    )]
    Plain(String),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The recording.
    #[error("{}: {source}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The system gave no random numbers, or no thread.
    #[error("the system: {0}")]
    System(String),
}

impl Settings {
    /// A process of a cluster on loopback, in plain text and without a log.
    pub fn new(me: ProcessId, members: Vec<String>, protocol: &str) -> Self {
        Self {
            me,
            members,
            listen: None,
            cluster: "local".to_owned(),
            protocol: protocol.to_owned(),
            security: Security::Plain,
            log: None,
            recording: None,
            limits: Limits::default(),
        }
    }

    /// # Errors
    /// When it makes no sense.
    pub(crate) fn validate(&self) -> Result<(), StartError> {
        if !is_name(&self.cluster) {
            return Err(KeysError::Name(self.cluster.clone()).into());
        }
        if self.me.index() >= self.members.len() {
            return Err(StartError::NoMember(self.me.0, self.members.len()));
        }
        for (place, member) in self.members.iter().enumerate() {
            let Some((host, _)) = split(member) else { return Err(StartError::Address(member.clone())) };
            if self.members[..place].contains(member) {
                return Err(StartError::Twice(member.clone()));
            }
            if matches!(self.security, Security::Plain) && !is_loopback(host) {
                return Err(StartError::Plain(member.clone()));
            }
        }
        match &self.listen {
            Some(listen) if split(listen).is_none() => Err(StartError::Address(listen.clone())),
            Some(listen)
                if matches!(self.security, Security::Plain)
                    && !split(listen).is_some_and(|(host, _)| is_loopback(host)) =>
            {
                Err(StartError::Plain(listen.clone()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Where this process listens.
    pub(crate) fn listens_on(&self) -> &str {
        self.listen.as_deref().unwrap_or(&self.members[self.me.index()])
    }
}

/// Host and port of an address.
fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty()).then_some((host.trim_start_matches('[').trim_end_matches(']'), port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let settings = |members: &[&str]| {
            let members = members.iter().map(|member| (*member).to_owned()).collect();
            Settings::new(ProcessId(0), members, "test 1")
        };
        assert!(settings(&["127.0.0.1:7000", "[::1]:7001", "localhost:7002"]).validate().is_ok());
        let error = |settings: Settings| settings.validate().unwrap_err().to_string();
        assert_eq!(error(settings(&[])), "this is process 0, but there are 0 members");
        assert_eq!(error(settings(&["127.0.0.1:0"])), "'127.0.0.1:0' is no address of a member: host:port");
        assert_eq!(
            error(settings(&["localhost:1", "localhost:1"])),
            "'localhost:1' is the address of two members"
        );
        assert!(error(settings(&["192.0.2.1:7000"])).starts_with("'192.0.2.1:7000' is not on loopback"));
        let listen = Some("0.0.0.0:7000".to_owned());
        assert!(error(Settings { listen, ..settings(&["127.0.0.1:7000"]) }).contains("not on loopback"));
        let named = Settings { cluster: "A b".to_owned(), ..settings(&["127.0.0.1:7000"]) };
        assert!(error(named).contains("no name of a cluster"));
    }
}
