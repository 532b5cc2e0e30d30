//! Dependency order and cycles.
//!
//! Strongly connected components by Tarjan's algorithm (SIAM J. Comput. 1972), without recursion, because a hostile
//! snapshot may chain a million flags.

use crate::fingerprint::{Map, Set};

/// A strongly connected component: nodes that depend on each other, or a single node.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) nodes: Vec<usize>,
    /// One cycle through the component, without the return to its start; empty for a node that does not depend on
    /// itself.
    pub(crate) cycle: Vec<usize>,
    /// The position of each node of the cycle.
    turns: Map<usize, usize>,
}

impl Component {
    /// A cycle through this node, without the return to it, and its number of nodes; only the first `most` of them are
    /// given. In a component of more than [`SEARCHED`] nodes it may be a cycle beside this node.
    pub(crate) fn way_round(&self, node: usize, edges: &[Vec<usize>], most: usize) -> (Vec<usize>, usize) {
        let turned = |turn: usize| {
            let way = self.cycle.iter().cycle().skip(turn).take(self.cycle.len().min(most));
            (way.copied().collect(), self.cycle.len())
        };
        if let Some(&turn) = self.turns.get(&node) {
            return turned(turn);
        }
        if self.nodes.len() > SEARCHED {
            return turned(0);
        }
        // Breadth first, so that it is a shortest cycle.
        let (mut came_from, mut waiting) = (Map::default(), std::collections::VecDeque::from([node]));
        while let Some(at) = waiting.pop_front() {
            for &next in edges.get(at).into_iter().flatten() {
                if self.nodes.contains(&next) && !came_from.contains_key(&next) {
                    came_from.insert(next, at);
                    waiting.push_back(next);
                }
            }
        }
        let mut way = vec![node];
        let mut at = node;
        while let Some(&before) = came_from.get(&at).filter(|before| **before != node) {
            way.push(before);
            at = before;
        }
        way.get_mut(1..).unwrap_or_default().reverse();
        let len = way.len();
        way.truncate(most);
        (way, len)
    }
}

/// In a larger component no cycle is searched through each node.
const SEARCHED: usize = 200;

#[derive(Clone, Copy, Default)]
struct Visit {
    /// 1 and up in the order of discovery; 0 for an undiscovered node.
    index: usize,
    lowest: usize,
    /// The next edge to follow.
    edge: usize,
    on_stack: bool,
}

/// The components, each after those that it depends on; `edges[n]` are the nodes that `n` depends on.
pub(crate) fn order(edges: &[Vec<usize>]) -> Vec<Component> {
    let mut order = Vec::new();
    let mut visits = vec![Visit::default(); edges.len()];
    let (mut stack, mut path, mut discovered) = (Vec::new(), Vec::new(), 0);
    for root in 0..edges.len() {
        if visits.get(root).is_none_or(|visit| visit.index != 0) {
            continue;
        }
        path.push(root);
        while let Some(&node) = path.last() {
            let Some(visit) = visits.get_mut(node) else { break };
            if visit.index == 0 {
                discovered += 1;
                *visit = Visit { index: discovered, lowest: discovered, edge: 0, on_stack: true };
                stack.push(node);
            }
            let edge = visit.edge;
            visit.edge += 1;
            if let Some(&next) = edges.get(node).and_then(|edges| edges.get(edge)) {
                let other = visits.get(next).copied().unwrap_or_default();
                if other.index == 0 {
                    path.push(next);
                } else if other.on_stack {
                    lower(&mut visits, node, other.index);
                }
                continue;
            }
            path.pop();
            let done = visits.get(node).copied().unwrap_or_default();
            if let Some(&parent) = path.last() {
                lower(&mut visits, parent, done.lowest);
            }
            if done.lowest == done.index {
                let at = stack.iter().rposition(|&other| other == node).unwrap_or_default();
                let nodes = stack.split_off(at);
                for &member in &nodes {
                    if let Some(visit) = visits.get_mut(member) {
                        visit.on_stack = false;
                    }
                }
                order.push(component(edges, node, nodes));
            }
        }
    }
    order
}

fn lower(visits: &mut [Visit], node: usize, lowest: usize) {
    if let Some(visit) = visits.get_mut(node) {
        visit.lowest = visit.lowest.min(lowest);
    }
}

fn component(edges: &[Vec<usize>], node: usize, nodes: Vec<usize>) -> Component {
    let loops = edges.get(node).is_some_and(|edges| edges.contains(&node));
    if nodes.len() == 1 && !loops {
        return Component { nodes, cycle: Vec::new(), turns: Map::default() };
    }
    // In a component every node has an edge to another of its nodes, so following such edges leads to a cycle.
    let members: Set<usize> = nodes.iter().copied().collect();
    let (mut way, mut places) = (Vec::new(), Map::default());
    let mut at = node;
    while !places.contains_key(&at) {
        places.insert(at, way.len());
        way.push(at);
        let next = edges.get(at).and_then(|edges| edges.iter().copied().find(|next| members.contains(next)));
        at = next.unwrap_or(at);
    }
    let cycle = way.split_off(places.get(&at).copied().unwrap_or_default());
    let turns = cycle.iter().zip(0..).map(|(&node, turn)| (node, turn)).collect();
    Component { nodes, cycle, turns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_after_what_it_depends_on_and_cycles_are_found() {
        let edges = vec![vec![1, 2], vec![3], vec![3], vec![], vec![5], vec![6], vec![4, 0], vec![7], vec![4]];
        let order = order(&edges);
        let singles: Vec<usize> = order.iter().filter(|part| part.cycle.is_empty()).map(|part| part.nodes[0]).collect();
        assert_eq!(singles.len(), 5);
        for (place, node) in singles.iter().enumerate() {
            for next in &edges[*node] {
                let before = singles.iter().position(|other| other == next);
                assert!(before.is_none_or(|before| before < place), "{next} comes before {node}");
            }
        }
        let mut knots: Vec<Vec<usize>> =
            order.iter().filter(|part| !part.cycle.is_empty()).map(|part| part.nodes.clone()).collect();
        knots.iter_mut().for_each(|knot| knot.sort_unstable());
        knots.sort();
        assert_eq!(knots, [vec![4, 5, 6], vec![7]]);
        assert!(order.iter().any(|part| part.cycle == [4, 5, 6]));
    }

    #[test]
    fn a_chain_of_a_million_does_not_recurse() {
        // Miri runs far slower.
        let length = if cfg!(miri) { 1_000 } else { 1_000_000 };
        let edges: Vec<Vec<usize>> = (0..length).map(|node| vec![(node + 1) % length]).collect();
        assert_eq!(order(&edges).len(), 1);
    }
}
