//! A background process that is found again by its number, and is still the same.

use std::fmt;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A process, by its number and the instant of its start: numbers are used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    number: i32,
    started: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}

impl Process {
    /// Starts a node in the background: it outlives us and our terminal.
    pub(super) fn start(program: &Path, config: &Path, log: File) -> std::io::Result<Self> {
        let child = Command::new(program)
            .args(["node", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        let number = child.id() as i32;
        Ok(Self { number, started: started(number).unwrap_or_default() })
    }

    /// The process that was written to a file, if it still runs.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let (number, started) = text.trim().split_once(' ')?;
        let process =
            Self { number: number.parse().ok().filter(|number| *number > 0)?, started: started.to_owned() };
        process.is_running().then_some(process)
    }

    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, format!("{} {}\n", self.number, self.started))
    }

    pub(super) fn is_running(&self) -> bool {
        started(self.number).is_some_and(|started| started == self.started)
    }

    fn signal(&self, signal: Signal) {
        if self.is_running()
            && let Some(pid) = Pid::from_raw(self.number)
        {
            // Whoever is gone in between needs no signal.
            let _ = kill_process(pid, signal);
        }
    }

    /// Tells it to end.
    pub(super) fn end(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Waits until it has ended; false if it has not.
    #[expect(clippy::disallowed_methods, reason = "how long a process takes to end is about this machine")]
    pub(super) fn wait(&self, most: Duration) -> bool {
        let begin = Instant::now();
        while self.is_running() {
            if begin.elapsed() > most {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

/// When a process started, in ticks since the machine did; none if it has ended, even if nobody has asked how.
fn started(number: i32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // Behind the name of the program, which may contain anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let is_over = matches!(fields.first(), Some(&"Z" | &"X"));
    if is_over { None } else { fields.get(19).map(|field| (*field).to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_used_again_is_not_the_process() {
        let me = std::process::id() as i32;
        let real = Process { number: me, started: started(me).expect("it runs") };
        assert!(real.is_running());
        assert!(!Process { number: me, started: "1".into() }.is_running());
        let folder = std::env::temp_dir().join(format!("isles-process-{me}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("pid");
        real.write(&path).expect("written");
        assert_eq!(Process::read(&path), Some(real));
        for stale in ["", "x y", "-1 5", "0 5", &format!("{me} 1")] {
            std::fs::write(&path, stale).expect("written");
            assert_eq!(Process::read(&path), None, "{stale}");
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
