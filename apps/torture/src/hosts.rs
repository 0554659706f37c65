//! Hosts: network namespaces with a device each, connected by a switch of ours.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::switch::{Switch, address};

/// Several hosts. The last one is this process's own, where clients are.
pub struct Hosts {
    names: Vec<String>,
    mounts: Vec<PathBuf>,
    /// What is between them.
    pub switch: Option<Switch>,
}

/// Runs a command of the system's.
fn system(words: &[&str]) -> Result<()> {
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("'{}' is needed; install it", words[0]))?;
    if !output.status.success() {
        bail!("{}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Why this machine cannot make hosts, if it cannot.
pub fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("hosts are made by root alone".to_owned());
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".to_owned());
    }
    let probe = format!("isles-probe-{}", std::process::id());
    match system(&["ip", "netns", "add", &probe]) {
        Ok(()) => system(&["ip", "netns", "del", &probe]).err().map(|error| format!("{error:#}")),
        Err(error) => Some(format!("{error:#}")),
    }
}

impl Hosts {
    /// Makes `count` hosts besides this one; losses on the ways between them are drawn from `seed`.
    ///
    /// # Errors
    /// When the system refuses; then nothing is left behind.
    pub fn new(count: usize, seed: u64) -> Result<Self> {
        let mut hosts = Self { names: Vec::new(), mounts: Vec::new(), switch: None };
        let mut devices = Vec::new();
        for host in 0..=count {
            let device = format!("isles{host}-{}", std::process::id() % 100_000);
            let mut configuration = tun::Configuration::default();
            configuration.tun_name(&device);
            devices
                .push(tun::create(&configuration).with_context(|| format!("the network device {device}"))?);
            let address = format!("{}/24", address(host));
            if host == count {
                system(&["ip", "addr", "add", &address, "dev", &device])?;
                system(&["ip", "link", "set", &device, "up"])?;
                continue;
            }
            let name = format!("isles-{host}-{}", std::process::id());
            system(&["ip", "netns", "add", &name])?;
            hosts.names.push(name.clone());
            system(&["ip", "link", "set", &device, "netns", &name])?;
            system(&["ip", "-n", &name, "addr", "add", &address, "dev", &device])?;
            system(&["ip", "-n", &name, "link", "set", &device, "up"])?;
            system(&["ip", "-n", &name, "link", "set", "lo", "up"])?;
        }
        hosts.switch = Some(Switch::new(devices, seed));
        Ok(hosts)
    }

    /// A command that runs a program on a host.
    pub fn command(&self, host: usize, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[host]]).arg(program);
        command
    }

    /// Puts a small disk of its own at `folder`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn mount(&mut self, folder: &Path, mebibytes: u32) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let size = format!("size={mebibytes}m");
        system(&["mount", "-t", "tmpfs", "-o", &size, "isles", &folder.to_string_lossy()])?;
        self.mounts.push(folder.to_owned());
        Ok(())
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.switch = None;
        for mount in &self.mounts {
            if let Err(error) = system(&["umount", "-l", &mount.to_string_lossy()]) {
                crate::say(&format!("{error:#}"));
            }
        }
        for name in &self.names {
            if let Err(error) = system(&["ip", "netns", "del", name]) {
                crate::say(&format!("{error:#}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;
    use crate::switch::Way;

    /// Whether a host can be reached from this one and answers: `ping` from a namespace is not needed, the other way round is.
    fn reaches(hosts: &Hosts, from: usize, to: &str) -> bool {
        let shell = Path::new("timeout");
        let script = format!(
            "exec 3<>/dev/tcp/{}/{} && head -c 2 <&3",
            to.split(':').next().unwrap_or(""),
            to.split(':').next_back().unwrap_or("")
        );
        let output = hosts.command(from, shell).args(["1", "bash", "-c", &script]).output().unwrap();
        output.stdout == b"hi"
    }

    #[test]
    fn hosts_reach_each_other_until_the_way_is_cut() {
        if let Some(obstacle) = obstacle() {
            crate::say(&format!("NOT TESTED: {obstacle}"));
            return;
        }
        let hosts = Hosts::new(2, 1).unwrap();
        let listener = TcpListener::bind((address(2), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.write_all(b"hi");
                let _ = stream.read(&mut [0]);
            }
        });
        let here = format!("{}:{port}", address(2));
        let switch = hosts.switch.as_ref().unwrap();
        assert!(reaches(&hosts, 0, &here) && reaches(&hosts, 1, &here));
        switch.set(2, 0, Way { cut: true, ..Way::default() });
        assert!(!reaches(&hosts, 0, &here) && reaches(&hosts, 1, &here), "one way is enough to be parted");
        switch.heal();
        switch.set(0, 2, Way { delay: Duration::from_millis(30), loss_per_mille: 50, ..Way::default() });
        assert!(reaches(&hosts, 0, &here));
        assert!(switch.counts().1 > 0);
        assert!(
            TcpStream::connect_timeout(&format!("{}:9", address(0)).parse().unwrap(), Duration::from_secs(1))
                .is_err()
        );
    }
}
