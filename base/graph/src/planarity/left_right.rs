//! The left-right planarity test: de Fraysseix and Rosenstiehl, "A depth-first-search characterization of planarity", Ann. Discrete
//! Math. 13, 1982, as Brandes tells it ("The left-right planarity test", 2009).
//!
//! A depth-first search turns every edge: tree edges lead away from the root, all others lead back towards it. The graph is
//! planar if and only if the back edges can be put left and right of the tree without a contradiction between those that overlap.
//! Brandes' names: lowpt -> `low`, lowpt2 -> `second`, nesting depth -> `nesting`, ref -> `reference`, lowpt edge -> `low_edge`,
//! conflict pair -> [`Pair`], stack bottom -> `bottom`. Nothing recurses, so that a path of 10^6 nodes overflows no stack.

const NONE: u32 = u32::MAX;

/// Whether the simple graph with these edges, neither loops nor repetitions among them, can be drawn without crossings.
///
/// # Complexity
/// O(n + m log d), d being the greatest degree; the logarithm is that of sorting rows.
pub(super) fn is_planar(nodes: u32, edges: &[(u32, u32)]) -> bool {
    if edges.len() > edges_max(nodes) {
        return false;
    }
    let graph = Oriented::new(nodes, edges);
    let out = graph.out(|edge| i64::from(graph.nesting[edge]));
    Sides::of(&graph, &out).is_some()
}

/// The neighbours of each node in the order in which they lie around it in a drawing without crossings, node after node; none if
/// there is no such drawing.
pub(super) fn embed(nodes: u32, edges: &[(u32, u32)]) -> Option<Vec<u32>> {
    if edges.len() > edges_max(nodes) {
        return None;
    }
    let graph = Oriented::new(nodes, edges);
    let out = graph.out(|edge| i64::from(graph.nesting[edge]));
    let left = Sides::of(&graph, &out)?.resolve();
    // Outermost on the left first, then inwards to the tree, and outwards again on the right.
    let out = graph.out(|edge| {
        let nesting = i64::from(graph.nesting[edge]);
        if left[edge] { -nesting } else { nesting }
    });
    Some(Around::of(&graph, &out, &left).lists(&graph))
}

/// A planar graph has at most so many edges: 3n - 6 from three nodes on, by Euler's formula.
pub(super) fn edges_max(nodes: u32) -> usize {
    match nodes {
        0 | 1 => 0,
        2 => 1,
        _ => 3 * nodes as usize - 6,
    }
}

/// Edges by node.
struct Rows {
    offsets: Vec<u32>,
    edges: Vec<u32>,
}

impl Rows {
    /// Counting sort of `(node, edge)`.
    fn new(nodes: u32, entries: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut offsets = vec![0u32; nodes as usize + 1];
        for (node, _) in entries.clone() {
            offsets[node as usize + 1] += 1;
        }
        for node in 0..nodes as usize {
            offsets[node + 1] += offsets[node];
        }
        let mut next = offsets.clone();
        let mut edges = vec![0; offsets[nodes as usize] as usize];
        for (node, edge) in entries {
            edges[next[node as usize] as usize] = edge;
            next[node as usize] += 1;
        }
        Self { offsets, edges }
    }

    fn of(&self, node: u32) -> &[u32] {
        &self.edges[self.offsets[node as usize] as usize..self.offsets[node as usize + 1] as usize]
    }

    /// Where a walk through each row begins.
    fn starts(&self) -> Vec<u32> {
        self.offsets[..self.offsets.len() - 1].to_vec()
    }

    /// The edge at `next[node]`, which moves on; none at the end of the row.
    fn step(&self, next: &mut [u32], node: u32) -> Option<u32> {
        let at = next[node as usize];
        (at < self.offsets[node as usize + 1]).then(|| {
            next[node as usize] += 1;
            self.edges[at as usize]
        })
    }
}

/// A graph whose edges are turned by a depth-first search.
struct Oriented {
    from: Vec<u32>,
    to: Vec<u32>,
    /// For each edge the least height to which it or a back edge of the subtree beyond it leads.
    low: Vec<u32>,
    /// The least height after `low`.
    second: Vec<u32>,
    /// Twice `low`, and one more if there is a `second` below the edge: edges that nest inside others have greater ones.
    nesting: Vec<u32>,
    /// For each node its distance from the root, in the tree.
    height: Vec<u32>,
    /// For each node the tree edge to it.
    parent: Vec<u32>,
    roots: Vec<u32>,
}

impl Oriented {
    fn new(nodes: u32, edges: &[(u32, u32)]) -> Self {
        let ends = (0..).zip(edges).flat_map(|(edge, &(a, b))| [(a, edge), (b, edge)]);
        let around = Rows::new(nodes, ends);
        let blank = || vec![NONE; edges.len()];
        let mut graph = Self {
            from: blank(),
            to: blank(),
            low: blank(),
            second: blank(),
            nesting: blank(),
            height: vec![NONE; nodes as usize],
            parent: vec![NONE; nodes as usize],
            roots: Vec::new(),
        };
        let mut next = around.starts();
        let mut path = Vec::new();
        for root in 0..nodes {
            if graph.height[root as usize] != NONE {
                continue;
            }
            graph.height[root as usize] = 0;
            graph.roots.push(root);
            path.push(root);
            while let Some(&node) = path.last() {
                let Some(edge) = around.step(&mut next, node) else {
                    path.pop();
                    if graph.parent[node as usize] != NONE {
                        graph.finish(graph.parent[node as usize]);
                    }
                    continue;
                };
                let (a, b) = edges[edge as usize];
                if graph.from[edge as usize] == NONE && graph.walk(edge, node, a ^ b ^ node) {
                    path.push(a ^ b ^ node);
                }
            }
        }
        graph
    }

    /// Turns an edge that leads from `node` to `peer`, and says whether it is a tree edge.
    fn walk(&mut self, edge: u32, node: u32, peer: u32) -> bool {
        let (index, height) = (edge as usize, self.height[node as usize]);
        (self.from[index], self.to[index]) = (node, peer);
        (self.low[index], self.second[index]) = (height, height);
        if self.height[peer as usize] == NONE {
            self.height[peer as usize] = height + 1;
            self.parent[peer as usize] = edge;
            return true;
        }
        self.low[index] = self.height[peer as usize];
        self.finish(edge);
        false
    }

    /// All that an edge leads to is known: the tree edge before it learns it.
    fn finish(&mut self, edge: u32) {
        let index = edge as usize;
        let (low, second) = (self.low[index], self.second[index]);
        let node = self.from[index] as usize;
        self.nesting[index] = 2 * low + u32::from(second < self.height[node]);
        if self.parent[node] == NONE {
            return;
        }
        let up = self.parent[node] as usize;
        let before = self.low[up];
        self.low[up] = before.min(low);
        self.second[up] = match low.cmp(&before) {
            std::cmp::Ordering::Less => before.min(second),
            std::cmp::Ordering::Greater => self.second[up].min(low),
            std::cmp::Ordering::Equal => self.second[up].min(second),
        };
    }

    /// The edges that lead away from each node, by ascending `key`.
    fn out(&self, key: impl Fn(usize) -> i64) -> Rows {
        let nodes = self.height.len() as u32;
        let mut rows = Rows::new(nodes, self.from.iter().copied().zip(0..));
        for node in 0..nodes as usize {
            let row = rows.offsets[node] as usize..rows.offsets[node + 1] as usize;
            rows.edges[row].sort_by_key(|edge| key(*edge as usize));
        }
        rows
    }

    /// Whether it or something beyond it leads back below the node where it begins.
    fn returns(&self, edge: u32) -> bool {
        self.low[edge as usize] < self.height[self.from[edge as usize] as usize]
    }
}

/// Back edges that must lie on the same side, from the one that leads highest to the one that leads lowest; each of them knows
/// the next by its reference.
#[derive(Clone, Copy)]
struct Interval {
    high: u32,
    low: u32,
}

impl Interval {
    const EMPTY: Self = Self { high: NONE, low: NONE };

    fn is_empty(self) -> bool {
        self.high == NONE && self.low == NONE
    }
}

/// Two intervals that must lie on different sides.
#[derive(Clone, Copy)]
struct Pair {
    left: Interval,
    right: Interval,
}

impl Pair {
    fn swapped(self) -> Self {
        Self { left: self.right, right: self.left }
    }
}

/// On which side each edge lies, as far as is known.
struct Sides<'a> {
    graph: &'a Oriented,
    stack: Vec<Pair>,
    /// For each edge how many pairs there were before it.
    bottom: Vec<u32>,
    /// For each edge a back edge that leads from it or from beyond it to its `low`.
    low_edge: Vec<u32>,
    /// For each edge one that says on which side it lies,
    reference: Vec<u32>,
    /// and whether it lies on the other side than its reference; on the left, if it has none.
    turned: Vec<bool>,
}

impl<'a> Sides<'a> {
    /// None if there is a contradiction.
    fn of(graph: &'a Oriented, out: &Rows) -> Option<Self> {
        let edges = graph.from.len();
        let mut sides = Self {
            graph,
            stack: Vec::new(),
            bottom: vec![0; edges],
            low_edge: vec![NONE; edges],
            reference: vec![NONE; edges],
            turned: vec![false; edges],
        };
        let mut next = out.starts();
        let mut path = Vec::new();
        for &root in &graph.roots {
            path.push(root);
            while let Some(&node) = path.last() {
                if let Some(edge) = out.step(&mut next, node) {
                    sides.bottom[edge as usize] = sides.stack.len() as u32;
                    let peer = graph.to[edge as usize];
                    if graph.parent[peer as usize] == edge {
                        path.push(peer);
                        continue;
                    }
                    sides.low_edge[edge as usize] = edge;
                    sides
                        .stack
                        .push(Pair { left: Interval::EMPTY, right: Interval { high: edge, low: edge } });
                    if !sides.integrate(edge, out) {
                        return None;
                    }
                    continue;
                }
                path.pop();
                let up = graph.parent[node as usize];
                if up != NONE {
                    sides.leave(up);
                    if !sides.integrate(up, out) {
                        return None;
                    }
                }
            }
        }
        Some(sides)
    }

    /// Joins what an edge brings to what the edges before it, of the same node, have brought; false if that cannot be.
    fn integrate(&mut self, edge: u32, out: &Rows) -> bool {
        if !self.graph.returns(edge) {
            return true;
        }
        let node = self.graph.from[edge as usize];
        let up = self.graph.parent[node as usize];
        if out.of(node)[0] == edge {
            self.low_edge[up as usize] = self.low_edge[edge as usize];
            return true;
        }
        self.constrain(edge, up)
    }

    /// Return edges of `edge` lie on one side, those of earlier edges that overlap them on the other one. `up` leads to the node
    /// where all of them begin.
    fn constrain(&mut self, edge: u32, up: u32) -> bool {
        let low = &self.graph.low;
        let mut joined = Pair { left: Interval::EMPTY, right: Interval::EMPTY };
        while self.stack.len() as u32 > self.bottom[edge as usize] {
            let Some(mut pair) = self.stack.pop() else { break };
            if !pair.left.is_empty() {
                pair = pair.swapped();
            }
            if !pair.left.is_empty() {
                return false;
            }
            if low[pair.right.low as usize] > low[up as usize] {
                if joined.right.is_empty() {
                    joined.right.high = pair.right.high;
                } else {
                    self.reference[joined.right.low as usize] = pair.right.high;
                }
                joined.right.low = pair.right.low;
            } else {
                // All of them lead to the lowest place: they lie beside whatever leads there.
                self.reference[pair.right.low as usize] = self.low_edge[up as usize];
            }
        }
        while self.stack.len() as u32 > self.bottom[up as usize] {
            let Some(mut pair) = self.stack.last().copied() else { break };
            if !self.overlaps(pair.left, edge) && !self.overlaps(pair.right, edge) {
                break;
            }
            self.stack.pop();
            if self.overlaps(pair.right, edge) {
                pair = pair.swapped();
            }
            if self.overlaps(pair.right, edge) {
                return false;
            }
            // Edges come by ascending nesting, so that one without a second return overlaps nothing.
            assert!(joined.right.low != NONE, "an edge that overlaps others has return edges of its own");
            self.reference[joined.right.low as usize] = pair.right.high;
            if pair.right.low != NONE {
                joined.right.low = pair.right.low;
            }
            if joined.left.is_empty() {
                joined.left.high = pair.left.high;
            } else {
                self.reference[joined.left.low as usize] = pair.left.high;
            }
            joined.left.low = pair.left.low;
        }
        if !joined.left.is_empty() || !joined.right.is_empty() {
            self.stack.push(joined);
        }
        true
    }

    /// Whether an edge of the interval ends above the place to which `edge` leads.
    fn overlaps(&self, interval: Interval, edge: u32) -> bool {
        !interval.is_empty() && self.graph.low[interval.high as usize] > self.graph.low[edge as usize]
    }

    /// Beyond the tree edge `up` all is done: what leads back to where it begins is settled, and it lies on the side of its highest
    /// return edge.
    fn leave(&mut self, up: u32) {
        let node = self.graph.from[up as usize];
        let low = |edge: u32| if edge == NONE { u32::MAX } else { self.graph.low[edge as usize] };
        let height = self.graph.height[node as usize];
        while let Some(pair) = self.stack.last()
            && low(pair.left.low).min(low(pair.right.low)) == height
        {
            if pair.left.low != NONE {
                self.turned[pair.left.low as usize] = true;
            }
            self.stack.pop();
        }
        if let Some(mut pair) = self.stack.pop() {
            pair.left = self.trimmed(pair.left, pair.right.low, node);
            pair.right = self.trimmed(pair.right, pair.left.low, node);
            self.stack.push(pair);
        }
        if !self.graph.returns(up) {
            return;
        }
        if let Some(pair) = self.stack.last() {
            let (left, right) = (pair.left.high, pair.right.high);
            let low = &self.graph.low;
            let is_left = left != NONE && (right == NONE || low[left as usize] > low[right as usize]);
            self.reference[up as usize] = if is_left { left } else { right };
        }
    }

    /// The interval without the edges that lead to `node`. If none is left, the last of them lies on the other side than `other`.
    fn trimmed(&mut self, mut interval: Interval, other: u32, node: u32) -> Interval {
        while interval.high != NONE && self.graph.to[interval.high as usize] == node {
            interval.high = self.reference[interval.high as usize];
        }
        if interval.high == NONE && interval.low != NONE {
            self.reference[interval.low as usize] = other;
            self.turned[interval.low as usize] = true;
            interval.low = NONE;
        }
        interval
    }

    /// Whether each edge lies on the left, by following the references.
    fn resolve(mut self) -> Vec<bool> {
        let mut chain = Vec::new();
        for edge in 0..self.reference.len() as u32 {
            let mut at = edge;
            while self.reference[at as usize] != NONE {
                chain.push(at);
                at = self.reference[at as usize];
            }
            while let Some(before) = chain.pop() {
                self.turned[before as usize] ^= self.turned[at as usize];
                self.reference[before as usize] = NONE;
                at = before;
            }
        }
        self.turned
    }
}

/// Ends of edges in their order around the nodes, clockwise. Edge e has the end 2e where it begins and 2e + 1 where it leads to.
struct Around {
    first: Vec<u32>,
    next: Vec<u32>,
    before: Vec<u32>,
}

impl Around {
    fn of(graph: &Oriented, out: &Rows, left: &[bool]) -> Self {
        let nodes = graph.height.len();
        let blank = || vec![NONE; 2 * left.len()];
        let mut around = Self { first: vec![NONE; nodes], next: blank(), before: blank() };
        for node in 0..nodes as u32 {
            // From the last to the first, so that each goes to the front.
            for edge in out.of(node).iter().rev() {
                around.put_first(node, 2 * edge);
            }
        }
        // Where back edges from the subtree at hand go: left of the first, right of the second.
        let mut beside = vec![(NONE, NONE); nodes];
        let mut next = out.starts();
        let mut path = Vec::new();
        for &root in &graph.roots {
            path.push(root);
            while let Some(&node) = path.last() {
                let Some(edge) = out.step(&mut next, node) else {
                    path.pop();
                    continue;
                };
                let peer = graph.to[edge as usize];
                if graph.parent[peer as usize] == edge {
                    around.put_first(peer, 2 * edge + 1);
                    beside[node as usize] = (2 * edge, 2 * edge);
                    path.push(peer);
                } else if left[edge as usize] {
                    around.put_before(peer, beside[peer as usize].0, 2 * edge + 1);
                    beside[peer as usize].0 = 2 * edge + 1;
                } else {
                    around.put_after(beside[peer as usize].1, 2 * edge + 1);
                }
            }
        }
        around
    }

    fn put_first(&mut self, node: u32, end: u32) {
        let old = std::mem::replace(&mut self.first[node as usize], end);
        self.next[end as usize] = old;
        if old != NONE {
            self.before[old as usize] = end;
        }
    }

    fn put_after(&mut self, place: u32, end: u32) {
        let old = std::mem::replace(&mut self.next[place as usize], end);
        (self.before[end as usize], self.next[end as usize]) = (place, old);
        if old != NONE {
            self.before[old as usize] = end;
        }
    }

    fn put_before(&mut self, node: u32, place: u32, end: u32) {
        match self.before[place as usize] {
            NONE => self.put_first(node, end),
            before => self.put_after(before, end),
        }
    }

    /// The nodes at the other ends.
    fn lists(&self, graph: &Oriented) -> Vec<u32> {
        let mut lists = Vec::with_capacity(self.next.len());
        for &first in &self.first {
            let mut end = first;
            while end != NONE {
                let edge = end as usize / 2;
                lists.push(if end % 2 == 0 { graph.to[edge] } else { graph.from[edge] });
                end = self.next[end as usize];
            }
        }
        lists
    }
}
