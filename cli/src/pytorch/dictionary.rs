//! The dictionaries of a checkpoint, flattened.

use std::collections::{BTreeMap, HashSet};

use super::pickle::Node;
use super::view::View;

/// One dictionary: the tensors in it, and the names of everything else.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dictionary {
    /// The keys that lead to it, from the top.
    pub path: Vec<String>,
    /// Its tensors.
    pub tensors: BTreeMap<String, View>,
    /// The keys of everything else in it.
    pub others: Vec<String>,
}

/// Deeper than this nothing is looked for.
const DEEPEST: usize = 16;

/// Every dictionary that can be reached from `top` through dictionaries, each once, in breadth.
pub(super) fn dictionaries(nodes: &[Node], top: usize) -> Vec<Dictionary> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![(top, Vec::<String>::new())];
    while !open.is_empty() {
        let mut next = Vec::new();
        for (id, path) in open {
            let Some(Node::Dict(pairs)) = nodes.get(id) else {
                continue;
            };
            if !seen.insert(id) || path.len() > DEEPEST {
                continue;
            }
            let mut dictionary = Dictionary {
                path: path.clone(),
                ..Default::default()
            };
            for &(key, value) in pairs {
                let Some(Node::Text(key)) = nodes.get(key) else {
                    continue; // the states of an optimiser are numbered
                };
                match nodes.get(value) {
                    Some(Node::Tensor(view)) => {
                        dictionary.tensors.insert(key.clone(), view.clone());
                    }
                    _ => {
                        dictionary.others.push(key.clone());
                        next.push((value, [&path[..], std::slice::from_ref(key)].concat()));
                    }
                }
            }
            found.push(dictionary);
        }
        open = next;
    }
    found
}
