//! The scenarios that come with the lab.

/// A scenario of the library.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// As `isles run` takes it.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! library {
    ($($name:literal),* $(,)?) => {
        &[$(Shipped { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }),*]
    };
}

impl Shipped {
    /// Its title, for lists.
    pub fn title(&self) -> &'static str {
        let title = self.text.lines().find_map(|line| line.strip_prefix("title = \""));
        title.map_or(self.name, |title| title.trim_end_matches('"'))
    }
}

/// The name of the library that `word` is nearest to, if it is near enough to be meant.
pub fn nearest(word: &str) -> Option<&'static str> {
    super::reader::nearest(word, SCENARIOS.iter().map(|shipped| shipped.name))
}

/// All of them: a file under `scenarios/` is added here, and a test says so when it is not.
pub static SCENARIOS: &[Shipped] = library![
    "voyage",
    "flood",
    "eager-push",
    "eager-push-small-fanout",
    "rumour",
    "lazy-push",
    "pull",
    "push-pull",
    "tree",
    "tree-failure",
    "plumtree",
    "plumtree-many-senders",
    "hyparview-crash",
    "hyparview-crash-on-send",
    "random-views-crash",
    "churn",
    "partition",
    "one-way",
    "pauses",
    "uplinks",
    "tree-sync-bfs",
    "tree-flooded",
    "tree-election",
    "tree-diameter",
    "tree-synchronizer",
];

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
