//! What may be said on the command line.

mod graph;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use graph::{ConvertArgs, GenArgs, GraphArgs, GraphCommand, InfoArgs};

const RUN_EXAMPLES: &str = "\
Examples:
  isles run voyage                                             the shipped scenario, its report under runs/
  isles run voyage --set faults.0.fraction=0.5 --seeds 10      half of all crash, ten seeds
  isles run voyage --set processes.count=500 --no-report       smaller, only printed
  isles run mine.toml --out report --json                      a file of your own, for a script";

const SWEEP_EXAMPLES: &str = "\
Examples:
  isles sweep voyage links.loss=0,0.01,0.05 membership.active-max=4,5,6
  isles sweep plumtree broadcast.threshold=0,3,7 --seeds 5 --csv threshold.csv";

const CLAIMS_EXAMPLES: &str = "\
Examples:
  isles claims GOS-03             one claim
  isles claims GOS --quick        a chapter, in smaller runs
  isles claims --out report       all of them, with their curves in report/report.html";

const EXPLORE_EXAMPLES: &str = "\
Examples:
  isles explore paxos clients=3                          all states, on all cores
  isles explore abd mistake=no-write-back --out found    a shortest counterexample, with pictures
  isles explore two-phase-commit managers=12 --symmetry  states that differ by who is who count once
  isles explore paxos --set world.losses=1 --depth 12    a datagram may be lost; the first 12 steps
  isles explore paxos clients=4 --search priorities      behaviours by random priorities
  isles explore --planted paxos --seconds 5              bugs planted on purpose, by five searches each
  isles explore mine.toml --seconds 60 --disk states     from a file; goes on later with --resume

A file has the fields that --set can change:
  exploration = \"paxos\"
  [parameters]
  clients = 3
  [world]                 # streams timers idle clients timeouts losses duplicates crashes
  losses = 1              # restarts memories torn cuts groups choices-max
  crashes = \"unlimited\"
  [search]                # kind depth states whole reduce symmetry runs steps bug-depth seed
  kind = \"depth-first\"  # members bits hashes disk memory-mb";

const NODE_EXAMPLES: &str = "\
Examples:
  isles node --example-config > node.toml       every key, explained
  isles node --config node.toml --check-config  what is wrong, with its place
  isles node --config node.toml                 run it";

const CLUSTER_EXAMPLES: &str = "\
Examples:
  isles cluster up 3             three nodes, clients on ports 7000 to 7002
  redis-cli -p 7001 set a 1      any node serves any key
  isles cluster status
  isles cluster logs 2
  isles cluster down --remove    nothing is left";

const BENCH_EXAMPLES: &str = "\
Examples:
  isles bench --list              groups, figures and what they measure
  isles bench sim                 a group
  isles bench phold-1e6           a figure, or all whose names begin so
  isles bench sim --rivals        beside turmoil and madsim, built from benches/rivals";

/// Distributed protocols, written once: simulate them, measure them, check what is said of them.
#[derive(Debug, Parser)]
#[command(
    name = "isles",
    version,
    after_help = "\
Begin with:
  isles run voyage             simulate Plumtree over HyParView and write a report
  isles list                   what can be run, and with which parameters
  isles explore paxos          every interleaving of a few processes
  isles claims GOS-03          re-run an experiment and its control
  isles graph info FILE        what a network is like: components, distances, clustering

Exit codes: 0 all well; 1 a check, a claim or its control came out wrong, a property is violated, or a history is wrong; 2 wrong input
(arguments, scenario, files); 3 the machine failed (a file could not be written, say); 4 whether a history is
right, or a property holds, could not be decided."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate a scenario, over all its seeds, and write a report
    ///
    /// The scenario is a TOML file or the name of one of the library (see `isles list scenarios`). The report folder
    /// holds report.html (self-contained), summary.json, metrics.csv, metrics.parquet, the scenario itself, and of the
    /// first seed history.jsonl (who invoked what when) and trace.jsonl (the messages of the broadcast that is drawn).
    #[command(after_long_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Run a scenario for every combination of values of some of its fields
    ///
    /// The table shows the median over seeds; --csv and --json keep all of it.
    #[command(after_long_help = SWEEP_EXAMPLES)]
    Sweep(SweepArgs),
    /// List scenarios, protocols, topologies and explorations with their parameters, measures, or claims
    List(ListArgs),
    /// Re-run statements of the literature as experiments, each with its control
    ///
    /// A claim is shown when its experiment comes out as stated and its control does not. Both verdicts are computed
    /// from what the runs did.
    #[command(after_long_help = CLAIMS_EXAMPLES)]
    Claims(ClaimsArgs),
    /// Generate graphs, say what a graph is like, and convert between formats
    ///
    /// Files are edge lists as SNAP publishes them, GraphML, DOT and latency matrices (CSV). Which one a file is, is seen from its
    /// first bytes and its ending: .txt .edges .el .tsv, .graphml .xml, .dot .gv, .csv .matrix.
    Graph(GraphArgs),
    /// Judge a recorded history: is it linearizable, serializable, causal ...?
    ///
    /// The file may be Jepsen's EDN, JSON or log, Plume's or AWDIT's text, dbcop's JSON, or history.jsonl of a run: the format is
    /// found by its content. What is wrong is shown in its smallest part, with one sentence for each step of the reason.
    ///
    /// Exit codes: 0 holds, 1 violated, 2 wrong input, 3 a file could not be written or a certificate was refused, 4 not decided
    /// within the limits. With --all: 0 when the history could be placed.
    Check(CheckArgs),
    /// Explore every interleaving of a few processes, or as many as there is time for
    ///
    /// What is asked of the protocol is proved within the bounds that are told, or a counterexample is shown: a shortest one if the
    /// search is breadth-first, else one of which no step can be left out.
    ///
    /// Exit codes: 0 all states were looked at and all is well, 1 something is violated, 2 wrong input, 3 a file could not be used,
    /// 4 nothing was found and not all states were looked at.
    #[command(after_long_help = EXPLORE_EXAMPLES)]
    Explore(Box<ExploreArgs>),
    /// Replay a behaviour that `isles explore --out` saved, step by step, in the explorer and in the simulator
    ///
    /// Exit codes: 0 it shows what it was saved for, 1 it does not, 2 a step is not possible or has another outcome.
    Replay(ReplayArgs),
    /// Measure this machine: events per second, seconds per broadcast, bytes per process
    ///
    /// Rates are per CPU second of one thread, seconds are CPU seconds, bytes are resident memory.
    #[command(after_long_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
    /// Run a node: a transactional store, replicated by quorums, for Redis clients
    ///
    /// It ends in good order when it is told to (SIGTERM, SIGINT). Its log goes to standard error.
    #[command(after_long_help = NODE_EXAMPLES)]
    Node(NodeArgs),
    /// Start, look at and end a cluster of nodes on this machine
    ///
    /// Nodes are background processes, with keys, data and logs in a folder. Exit code of `up` and `status`: 0 all serve, 1 some do not.
    #[command(after_long_help = CLUSTER_EXAMPLES)]
    Cluster(ClusterArgs),
    /// Make the keys of a cluster: an authority of its own, and a certificate for each member
    Keys(KeysArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The configuration, TOML
    #[arg(long, value_name = "FILE", required_unless_present = "example_config")]
    pub(crate) config: Option<PathBuf>,
    /// Only check the configuration
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Print a configuration with every key explained
    #[arg(long, exclusive = true)]
    pub(crate) example_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,
    /// Where keys, configurations, data and logs are
    #[arg(long, global = true, default_value = "isles-cluster", value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

/// What to do with a cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Start so many nodes, or those of them that do not run
    Up {
        /// How many
        nodes: usize,
        /// Clients connect to this port and the next ones; nodes to those 100 above; metrics are 200 above
        #[arg(long, default_value_t = 7000, value_name = "PORT")]
        base_port: u16,
    },
    /// End all nodes
    Down {
        /// Also remove data, logs, configurations and keys
        #[arg(long)]
        remove: bool,
    },
    /// Tell which nodes run and serve
    Status,
    /// Print the ends of the nodes' logs
    Logs {
        /// Of this node only
        node: Option<usize>,
        /// Lines of each
        #[arg(long, default_value_t = 50, value_name = "N")]
        lines: usize,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    /// Where they go
    pub(crate) folder: PathBuf,
    /// The cluster's name
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: String,
    /// How many members it has
    #[arg(long, value_name = "N", value_parser = parse_members)]
    pub(crate) members: usize,
}

fn parse_members(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(members @ 1..=10_000) => Ok(members),
        Ok(_) | Err(_) => Err("take 1 to 10000".to_owned()),
    }
}

/// How a scenario is run.
#[derive(Debug, Args)]
pub(crate) struct ScenarioArgs {
    /// A scenario file, or the name of one of the library
    pub(crate) scenario: String,
    /// Seeds instead of the scenario's: a count (`10` is 1 to 10) or a list (`3,5,8`)
    #[arg(long, value_name = "SEEDS")]
    pub(crate) seeds: Option<String>,
    /// Threads for independent seeds; results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,
    /// Print one JSON object (a line for each run of a sweep) instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) common: ScenarioArgs,
    /// Change a field of the scenario: links.loss=0.05 (may be repeated)
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    /// The report folder [default: a new one under runs/]
    #[arg(long, value_name = "DIR", conflicts_with = "no_report")]
    pub(crate) out: Option<PathBuf>,
    /// Write no report
    #[arg(long)]
    pub(crate) no_report: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) common: ScenarioArgs,
    /// A field and its values: links.loss=0,0.01,0.05
    #[arg(required = true, value_name = "FIELD=V1,V2,...")]
    pub(crate) fields: Vec<String>,
    /// Also write the table as CSV to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What to list
    #[arg(value_enum, default_value_t = Topic::All)]
    pub(crate) topic: Topic,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Topic {
    /// Everything.
    All,
    /// The scenario library.
    Scenarios,
    /// Protocols, with parameters, units and defaults.
    Protocols,
    /// Topologies with their parameters.
    Topologies,
    /// What checks can name.
    Measures,
    /// What can be explored, with parameters.
    Explorations,
    /// Claims.
    Claims,
}

#[derive(Debug, Args)]
pub(crate) struct ClaimsArgs {
    /// Ids, or beginnings of ids: GOS-03, GOS [default: all]
    pub(crate) ids: Vec<String>,
    /// Print one object a line: {"id","holds","control_fails","measured","predicted","seconds"}
    #[arg(long)]
    pub(crate) json: bool,
    /// Smaller runs: the same verdicts, rougher figures
    #[arg(long)]
    pub(crate) quick: bool,
    /// Threads for independent seeds [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,
    /// Leave a report with the claims' curves in this folder, which must be empty or new
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The history
    pub(crate) file: PathBuf,
    /// What it is a history of: register, key-value, multi-register, counter, set, queue, stack, priority-queue, lock, lease, log,
    /// bank, broker, txn [default: by its operations]
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Its format: lines, edn, json, log, plume, awdit, dbcop [default: by its content]
    #[arg(long)]
    pub(crate) format: Option<String>,
    /// Judge this level: linearizable, sequential, strict-serializable, snapshot-isolation, causal ... (may be repeated)
    /// [default: linearizable for operations; strict-serializable for transactions with times, session-serializable without]
    #[arg(long)]
    pub(crate) level: Vec<String>,
    /// Judge all levels, and tell the strongest that hold and the weakest that do not
    #[arg(long, conflicts_with = "level")]
    pub(crate) all: bool,
    /// Re-check each certificate by the independent verifier
    #[arg(long)]
    pub(crate) verify: bool,
    /// What objects hold at first, as EDN: 0, nil, [1 2], {"a" 100} [default: nothing; of multi-registers 0, of banks what is read first]
    #[arg(long, value_name = "VALUE")]
    pub(crate) initial: Option<String>,
    /// What :fail says: it did not happen (drop), or it was refused, so that a failed cas saw another value (assert)
    #[arg(long, value_enum, default_value_t = FailsArg::Drop)]
    pub(crate) fails: FailsArg,
    /// Trust clocks only so far, in nanoseconds: operations are ordered by their times, widened by this either way
    #[arg(long, value_name = "NS")]
    pub(crate) skew_ns: Option<u64>,
    /// Give up a search after so many configurations
    #[arg(long, value_name = "N")]
    pub(crate) nodes: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a page with the verdict and the picture to this file
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
}

/// What a failure says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum FailsArg {
    /// It did not happen.
    Drop,
    /// It was refused.
    Assert,
}

impl From<FailsArg> for isles_lab::check::Fails {
    fn from(fails: FailsArg) -> Self {
        match fails {
            FailsArg::Drop => Self::Drop,
            FailsArg::Assert => Self::Assert,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExploreArgs {
    /// The name of an exploration (see `isles list explorations`), or a TOML file
    #[arg(required_unless_present = "planted")]
    pub(crate) exploration: Option<String>,
    /// Parameters of the exploration: clients=3
    #[arg(value_name = "PARAM=VALUE")]
    pub(crate) params: Vec<String>,
    /// Change a field: world.losses=1 (may be repeated)
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// Seek the bugs that are planted in our protocols, those whose names contain a word, by five searches each, and print the table;
    /// --seconds says how long each search may take [default: 60 CPU seconds]
    #[arg(long, value_name = "WORD", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["exploration", "out", "coverage", "resume"])]
    pub(crate) planted: Option<String>,
    /// End the search after so many seconds
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<u64>,
    /// Threads; the outcome does not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,
    /// Go on from the checkpoint in the folder of --disk
    #[arg(long, requires = "disk")]
    pub(crate) resume: bool,
    /// Show how often each message, timer, operation and answer was met
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Write the behaviours that were found to this folder: to be replayed, as pages and pictures, for Mermaid and ShiViz
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// How it is searched; each is a field of a plan's search, too.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// breadth-first, depth-first, random, priorities (PCT) or swarm (bitstate) [default: breadth-first]
    #[arg(long = "search", value_name = "KIND")]
    kind: Option<String>,
    /// Do not continue states so many steps from the beginning
    #[arg(long, value_name = "N")]
    depth: Option<u32>,
    /// End soon after so many states
    #[arg(long, value_name = "N")]
    states: Option<u64>,
    /// Go on after a violation
    #[arg(long)]
    whole: bool,
    /// sleep-sets (depth-first) or ample-sets: leave out what changes no verdict
    #[arg(long, value_name = "HOW")]
    reduce: Option<String>,
    /// Count states that differ only by who is who once
    #[arg(long)]
    symmetry: bool,
    /// Of random and priorities: how many behaviours [default: 10000]
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Of random, priorities and swarm: steps of a behaviour [default: 200]
    #[arg(long, value_name = "N")]
    steps: Option<u32>,
    /// Of priorities: the depth of the bugs that are sought [default: 3]
    #[arg(long, value_name = "N")]
    bug_depth: Option<u32>,
    /// Of random, priorities and swarm: names all draws [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Of swarm: how many searches [default: 8]
    #[arg(long, value_name = "N")]
    members: Option<u32>,
    /// Of swarm: binary logarithm of the bits of each table [default: 24]
    #[arg(long, value_name = "N")]
    bits: Option<u32>,
    /// A folder for what finds no room in memory, and for checkpoints (breadth-first)
    #[arg(long, value_name = "DIR")]
    pub(crate) disk: Option<String>,
    /// With --disk: megabytes of memory [default: 4096]
    #[arg(long, value_name = "MB", requires = "disk")]
    memory_mb: Option<u64>,
}

impl SearchArgs {
    /// Those that were said, as fields of a plan's search.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        fn number(said: Option<impl ToString>) -> Option<String> {
            said.map(|number| number.to_string())
        }
        let word = |said: &Option<String>| said.as_ref().map(|word| format!("{word:?}"));
        let flag = |said: bool| said.then(|| "true".to_owned());
        let all = [
            ("kind", word(&self.kind)),
            ("depth", number(self.depth)),
            ("states", number(self.states)),
            ("whole", flag(self.whole)),
            ("reduce", word(&self.reduce)),
            ("symmetry", flag(self.symmetry)),
            ("runs", number(self.runs)),
            ("steps", number(self.steps)),
            ("bug-depth", number(self.bug_depth)),
            ("seed", number(self.seed)),
            ("members", number(self.members)),
            ("bits", number(self.bits)),
            ("disk", word(&self.disk)),
            ("memory-mb", number(self.memory_mb)),
        ];
        all.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// What `isles explore --out` wrote: a file that ends in .jsonl; or what nodes recorded: files that end in .isles, of one node or of several of
    /// a cluster
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write a page with picture and steps to this file
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Groups, names or beginnings of names [default: all]
    pub(crate) wanted: Vec<String>,
    /// Print one object a line: {"name","value","unit","rival","ratio"}
    #[arg(long)]
    pub(crate) json: bool,
    /// List groups and names
    #[arg(long)]
    pub(crate) list: bool,
    /// Smaller sizes, for a first look
    #[arg(long)]
    pub(crate) quick: bool,
    /// Also build and run the rivals (in a checkout of the sources only)
    #[arg(long)]
    pub(crate) rivals: bool,
}
