//! Records: what is answered is on the disk.

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use isles_net::{Durability, LogError, LogSettings, Settings, StartError};

use crate::world::{Running, addresses, folder, run, settings, until};

/// A sum that survives, and what it was made of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Sum {
    total: u64,
    records: u64,
}

impl Protocol for Sum {
    type Config = ();
    type Msg = Never;
    type Timer = Never;
    type Op = u64;
    type Reply = u64;
    type Record = u64;
    type Event = u64;

    fn start(cx: &mut Cx<'_, Self>, log: &[u64]) -> Self {
        cx.emit(log.len() as u64);
        Self { total: log.iter().sum(), records: log.len() as u64 }
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: u64) {
        if op > 0 {
            cx.persist(op);
            self.total += op;
            self.records += 1;
        }
        cx.reply(id, self.total);
    }
    fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
        match msg {}
    }
    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
    fn snapshot(&self) -> Option<Vec<u64>> {
        Some(vec![self.total])
    }
}

fn with_log(settings: &Settings, log: LogSettings) -> Settings {
    Settings { log: Some(log), ..settings.clone() }
}

#[test]
fn answers_wait_for_the_disk_and_outlive_the_process() {
    run(async {
        let folder = folder("durable");
        let settings = with_log(&settings(&addresses(1))[0], LogSettings::new(&folder));
        let sum: Running<Sum> = Running::start(settings.clone(), ()).await.unwrap();
        for id in 1..=100 {
            sum.host.invoke(OpId(id), 1);
        }
        // A read that was asked after the writes shows them, and waits with them.
        sum.host.invoke(OpId(101), 0);
        assert!(sum.replies.borrow().is_empty(), "nothing is answered before the disk has it");
        assert_eq!(sum.reply(101).await, 100);
        let order: Vec<u64> = sum.replies.borrow().iter().map(|(id, _)| id.0).collect();
        assert_eq!(order, (1..=101).collect::<Vec<_>>());
        assert!(sum.counter("log_syncs_total") < 20, "they were made durable together");
        let second = Running::<Sum>::start(Settings { members: addresses(1), ..settings.clone() }, ()).await;
        assert!(matches!(second.err(), Some(StartError::Log(LogError::Locked(_)))));
        sum.host.stop().await;
        let again: Running<Sum> = Running::start(settings, ()).await.unwrap();
        assert_eq!((again.host.inspect(|sum| sum.total), again.events.borrow()[0]), (100, 100));
        again.host.stop().await;
        std::fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn without_the_barrier_answers_do_not_wait_and_a_stop_loses_nothing() {
    run(async {
        let folder = folder("second");
        let log = LogSettings { durability: Durability::EverySecond, ..LogSettings::new(&folder) };
        let settings = with_log(&settings(&addresses(1))[0], log);
        let sum: Running<Sum> = Running::start(settings.clone(), ()).await.unwrap();
        sum.host.invoke(OpId(1), 5);
        assert_eq!(sum.replies.borrow()[0], (OpId(1), 5));
        sum.host.stop().await;
        let again: Running<Sum> = Running::start(settings, ()).await.unwrap();
        assert_eq!(again.host.inspect(|sum| sum.total), 5);
        again.host.stop().await;
        std::fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn a_long_log_becomes_a_snapshot() {
    run(async {
        let folder = folder("compact");
        let log = LogSettings { compact_bytes: 500, ..LogSettings::new(&folder) };
        let settings = with_log(&settings(&addresses(1))[0], log);
        let sum: Running<Sum> = Running::start(settings.clone(), ()).await.unwrap();
        for id in 1..=500 {
            sum.host.invoke(OpId(id), 1);
            if id % 10 == 0 {
                sum.reply(id).await;
            }
        }
        until(|| sum.counter("log_snapshots_total") > 1).await;
        sum.host.stop().await;
        let again: Running<Sum> = Running::start(settings, ()).await.unwrap();
        let (total, records) = again.host.inspect(|sum| (sum.total, sum.records));
        assert_eq!(total, 500);
        assert!(records < 300, "{records} records");
        again.host.stop().await;
        std::fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn a_process_whose_log_cannot_be_written_says_so_and_answers_nothing_more() {
    // A file system of a few pages would be needed for a full disk; a log whose folder is a file cannot even be opened.
    run(async {
        let folder = folder("file");
        let path = folder.join("file");
        std::fs::write(&path, "in the way").unwrap();
        let settings = with_log(&settings(&addresses(1))[0], LogSettings::new(&path));
        let refused = Running::<Sum>::start(settings, ()).await.err().unwrap();
        assert!(matches!(refused, StartError::Log(LogError::Io { .. })), "{refused}");
        std::fs::remove_dir_all(folder).unwrap();
    });
}
