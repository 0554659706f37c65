//! Protocols that were written for the simulator, unchanged.

use isles_gossip::hyparview::{self, HyParView};
use isles_gossip::node::{Config, Layer};
use isles_gossip::plumtree::{self, Plumtree};
use isles_gossip::{Node, broadcast};
use isles_kernel::{OpId, Payload, ProcessId};
use isles_net::Settings;
use isles_replication::primary_backup::{self, Mode, PrimaryBackup};
use isles_replication::store::{Op, Reply};

use crate::world::{Running, addresses, run, settings, until};

#[test]
fn a_primary_and_its_backups() {
    run(async {
        let config = || primary_backup::Config {
            replicas: 3,
            mode: Mode::Synchronous,
            read_anywhere: false,
            mistake: None,
        };
        let mut hosts: Vec<Running<PrimaryBackup>> = Vec::new();
        for settings in settings(&addresses(3)) {
            hosts.push(Running::start(settings, config()).await.unwrap());
        }
        hosts[2].host.invoke(OpId(1), Op::Write { object: 0, value: 7 });
        assert_eq!(hosts[2].reply(1).await, Reply::Done);
        // The primary goes; the next in line has all that was acknowledged.
        hosts.remove(0).host.stop().await;
        until(|| hosts[0].events.borrow().contains(&primary_backup::Event::Promoted)).await;
        hosts[1].host.invoke(OpId(2), Op::Read { object: 0 });
        assert_eq!(hosts[1].reply(2).await, Reply::Value(7));
    });
}

#[test]
fn an_overlay_of_processes_that_know_only_whom_they_join_delivers_broadcasts_to_all() {
    run(async {
        let addresses = addresses(8);
        let mut hosts: Vec<Running<Node<HyParView, Plumtree>>> = Vec::new();
        for (place, address) in addresses.iter().enumerate() {
            // Each knows itself and the first one; of the others it hears by messages.
            let mut members = vec![address.clone()];
            members.extend((place > 0).then(|| addresses[0].clone()));
            let membership = hyparview::Config { active_max: 3, ..hyparview::Config::default() };
            let config = Config { membership, broadcast: plumtree::Config::default() };
            let host =
                Running::start(Settings::new(ProcessId(0), members, "gossip 1"), config).await.unwrap();
            if place > 0 {
                let join = hyparview::Op::Join { contact: ProcessId(1) };
                host.host.invoke(OpId(0), Layer::Membership(join));
            }
            hosts.push(host);
        }
        // Neighbours have found each other when each of them has one.
        until(|| hosts.iter().all(|host| host.host.inspect(|node| !node.membership.active().is_empty())))
            .await;
        hosts[5].host.invoke(OpId(1), Layer::Broadcast(Payload::from("hello")));
        let delivered = |host: &Running<Node<HyParView, Plumtree>>| {
            host.events
                .borrow()
                .iter()
                .any(|event| matches!(event, Layer::Broadcast(broadcast::Event::Delivered { .. })))
        };
        until(|| hosts.iter().all(delivered)).await;
    });
}
