//! The checkpoints that can be picked: those that were found, and no path beside them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::commands::model;

/// Where checkpoints are looked for without a folder.
const FOLDERS: [&str; 2] = ["checkpoints", "runs"];
/// How deep below a folder, and how many.
const DEPTH: usize = 4;
const MOST: usize = 200;

/// Checkpoints by the path that the page shows.
#[derive(Debug, Clone)]
pub struct Catalogue {
    roots: Vec<PathBuf>,
    found: Vec<PathBuf>,
}

impl Catalogue {
    /// The checkpoints at or below `path`; without one, those below the usual folders.
    ///
    /// # Errors
    /// If `path` has none.
    pub fn find(path: Option<&Path>) -> Result<Self> {
        let roots = match path {
            Some(path) => vec![path.to_owned()],
            None => FOLDERS.map(PathBuf::from).to_vec(),
        };
        let mut new = Self {
            roots,
            found: Vec::new(),
        };
        new.look();
        if let (Some(path), true) = (path, new.found.is_empty()) {
            match path.exists() {
                false => bail!("there is no checkpoint {}", path.display()),
                true => bail!(
                    "{} holds no checkpoint: give a checkpoint file, the folder of a run, or a folder with some below it; \
                     `scotopic train` makes one",
                    path.display()
                ),
            }
        }
        Ok(new)
    }

    /// Looks again.
    pub fn look(&mut self) {
        let mut found = Vec::new();
        for root in &self.roots {
            collect(root, DEPTH, &mut found);
        }
        self.found = found;
    }

    /// What the page shows, in order.
    pub fn ids(&self) -> Vec<String> {
        let found = self.found.iter();
        found.map(|path| path.display().to_string()).collect()
    }

    /// The path that was found under this name.
    pub fn path(&self, id: &str) -> Option<&Path> {
        let mut found = self.found.iter();
        found
            .find(|path| path.display().to_string() == id)
            .map(PathBuf::as_path)
    }
}

/// Checkpoints at or below a path, by name.
fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if found.len() >= MOST {
        return;
    }
    let named = |path: &Path| path.extension().is_some_and(|e| e == "safetensors");
    let located = model::locate(path);
    if located.is_file() && named(&located) {
        return found.push(path.to_owned());
    }
    let Some(entries) = std::fs::read_dir(path).ok().filter(|_| depth > 0) else {
        return;
    };
    let mut below: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    below.sort();
    // Links may lead round in circles.
    let folders = below
        .into_iter()
        .filter(|path| path.is_dir() && !path.is_symlink());
    for folder in folders {
        collect(&folder, depth - 1, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_found_can_be_picked() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "b/model.safetensors",
            "a/c/model.safetensors",
            "notes/readme.md",
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let catalogue = Catalogue::find(Some(root)).unwrap();
        let ids = catalogue.ids();
        let expected = [root.join("a/c"), root.join("b")];
        assert_eq!(ids, expected.map(|p| p.display().to_string()));
        assert_eq!(catalogue.path(&ids[1]), Some(&*root.join("b")));
        for other in ["", "/etc/passwd", "b", &format!("{}/../b", root.display())] {
            assert_eq!(catalogue.path(other), None, "{other}");
        }
        let error = Catalogue::find(Some(&root.join("notes"))).unwrap_err();
        assert!(error.to_string().contains("holds no checkpoint"), "{error}");
        assert!(Catalogue::find(Some(&root.join("none"))).is_err());
    }
}
