//! `isles node`, `isles cluster`, `isles keys`.

use isles_node::cluster::{Cluster, ClusterError};
use isles_node::config::{Config, EXAMPLE};
use isles_node::replay::ReplayError;
use isles_node::run::RunError;

use crate::args::{ClusterArgs, ClusterCommand, KeysArgs, NodeArgs, ReplayArgs};
use crate::{Failure, Outcome, print};

/// Runs a node, or looks at its configuration.
///
/// # Errors
/// When the configuration is refused, or the node cannot run.
pub(crate) fn node(args: &NodeArgs) -> Result<Outcome, Failure> {
    if args.example_config {
        return print(EXAMPLE).map(|()| Outcome::Good);
    }
    let path = args.config.as_ref().ok_or_else(|| Failure::Input("--config FILE is missing".to_owned()))?;
    let config = Config::read(path).map_err(|error| Failure::Input(error.to_string()))?;
    if args.check_config {
        return print(&format!(
            "{}: node {} of {} in cluster {}",
            path.display(),
            config.node,
            config.members.len(),
            config.cluster
        ))
        .map(|()| Outcome::Good);
    }
    match isles_node::run::run(config) {
        Ok(()) => Ok(Outcome::Good),
        Err(error @ RunError::Store(_)) => Err(Failure::Input(error.to_string())),
        Err(error) => Err(Failure::Machine(error.to_string())),
    }
}

/// Makes the keys of a cluster.
///
/// # Errors
/// When there are keys already, or the name is none, or they cannot be written.
pub(crate) fn keys(args: &KeysArgs) -> Result<Outcome, Failure> {
    isles_net::keys::make(&args.folder, &args.cluster, args.members)
        .map_err(|error| Failure::Input(error.to_string()))?;
    print(&format!(
        "{}: ca.pem and node-0.pem to node-{}.key; each member needs ca.pem and its own two; keep ca.key elsewhere",
        args.folder.display(),
        args.members - 1
    ))?;
    Ok(Outcome::Good)
}

/// Starts, ends or looks at a local cluster.
///
/// # Errors
/// When what is asked for cannot be, or the machine refuses.
pub(crate) fn cluster(args: &ClusterArgs) -> Result<Outcome, Failure> {
    let failure = |error: ClusterError| match error {
        ClusterError::Input(why) => Failure::Input(why),
        ClusterError::Machine(why) => Failure::Machine(why),
    };
    let folder = &args.folder;
    match &args.command {
        ClusterCommand::Up { nodes, base_port } => {
            let program = std::env::current_exe().map_err(|error| Failure::Machine(error.to_string()))?;
            let cluster = Cluster::up(folder, *nodes, *base_port, &program).map_err(failure)?;
            let status = cluster.status();
            print(&status.text)?;
            Ok(if status.is_good { Outcome::Good } else { Outcome::Bad })
        }
        ClusterCommand::Down { remove } => {
            let told = Cluster::open(folder).and_then(|cluster| cluster.down(*remove)).map_err(failure)?;
            print(&told)?;
            Ok(Outcome::Good)
        }
        ClusterCommand::Status => {
            let status = Cluster::open(folder).map_err(failure)?.status();
            print(&status.text)?;
            Ok(if status.is_good { Outcome::Good } else { Outcome::Bad })
        }
        ClusterCommand::Logs { node, lines } => {
            let cluster = Cluster::open(folder).map_err(failure)?;
            print(&cluster.logs(*node, *lines).map_err(failure)?)?;
            Ok(Outcome::Good)
        }
    }
}

/// Makes again in the simulator what nodes recorded.
///
/// # Errors
/// When a file is no recording, or they do not go together.
pub(crate) fn replay(args: &ReplayArgs) -> Result<Outcome, Failure> {
    if args.html.is_some() {
        return Err(Failure::Input("--html is for behaviours that `isles explore` found".to_owned()));
    }
    match isles_node::replay::replay_store(&args.files, &mut ()) {
        Ok(replayed) => print(&format!(
            "the same again, to the byte: {} inputs of {} nodes in {} starts, {} of them operations of clients, {} messages\n\
             of which {} had been sent by the nodes that are replayed beside",
            replayed.steps, replayed.processes, replayed.starts, replayed.operations, replayed.messages, replayed.verified
        ))
        .map(|()| Outcome::Good),
        Err(error @ (ReplayError::Differs { .. } | ReplayError::Impossible { .. })) => {
            print(&error.to_string()).map(|()| Outcome::Bad)
        }
        Err(error) => Err(Failure::Input(error.to_string())),
    }
}
