//! The dictionaries of a checkpoint, flattened.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;

use super::pickle::{Budget, Node};
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
///
/// # Errors
/// If their names alone have more bytes than those of any model.
pub(super) fn dictionaries(nodes: &[Node], top: usize) -> Result<Vec<Dictionary>> {
    let (mut found, mut budget) = (Vec::new(), Budget::default());
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
                budget.spend(key.len() + 32)?;
                match nodes.get(value) {
                    Some(Node::Tensor(view)) => {
                        budget.spend(view.bytes())?;
                        dictionary.tensors.insert(key.clone(), view.clone());
                    }
                    other => {
                        dictionary.others.push(key.clone());
                        if matches!(other, Some(Node::Dict(_))) && !seen.contains(&value) {
                            budget.spend(path.iter().map(|key| key.len() + 32).sum())?;
                            next.push((value, [&path[..], std::slice::from_ref(key)].concat()));
                        }
                    }
                }
            }
            found.push(dictionary);
        }
        open = next;
    }
    Ok(found)
}
