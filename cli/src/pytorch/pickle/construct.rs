//! What Python would construct: tensors, dictionaries, storages.

use anyhow::{Context, Result, bail, ensure};

use super::{Machine, Node};
use crate::pytorch::view::View;

impl Machine<'_> {
    fn sequence(&self, id: usize) -> Option<&[usize]> {
        match &self.nodes[id] {
            Node::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// What Python would get by calling a name: a tensor, a dictionary, or something that is nothing to us.
    pub(super) fn call(&mut self, callable: usize, arguments: usize) -> Result<()> {
        let (module, name) = match &self.nodes[callable] {
            Node::Global(module, name) => (module.as_str(), name.as_str()),
            _ => ("", ""),
        };
        let arguments = self.sequence(arguments).unwrap_or(&[]);
        match (module, name) {
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor" | "_rebuild_tensor_v3") => {
                let view = self.tensor(arguments).context("a tensor")?;
                self.budget.spend(view.bytes())?;
                self.push(Node::Tensor(view));
            }
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                let data = *arguments.first().context("a parameter without a tensor")?;
                self.stack.push(data);
            }
            ("collections", "OrderedDict" | "defaultdict") => {
                let list = arguments.iter().find_map(|&a| self.sequence(a));
                let pairs = list.unwrap_or(&[]).iter().filter_map(|&pair| {
                    let &[key, value] = self.sequence(pair)? else {
                        return None;
                    };
                    Some((key, value))
                });
                let pairs: Vec<(usize, usize)> = pairs.collect();
                self.budget.spend(16 * pairs.len())?;
                self.push(Node::Dict(pairs));
            }
            _ => self.push(Node::Opaque),
        }
        Ok(())
    }

    /// (storage, offset, sizes, strides, …)
    fn tensor(&self, arguments: &[usize]) -> Result<View> {
        let &[storage, offset, shape, stride, ..] = arguments else {
            bail!("with {} arguments, expected at least 4", arguments.len());
        };
        let Node::Storage(storage, element, length) = &self.nodes[storage] else {
            bail!("without a storage");
        };
        let sizes = |id: usize, what: &str| -> Result<Vec<usize>> {
            let items = self.sequence(id);
            let items = items.with_context(|| format!("whose {what} is not a tuple"))?;
            items.iter().map(|&item| self.count(item, what)).collect()
        };
        Ok(View {
            storage: storage.clone(),
            element: element.clone(),
            length: *length,
            offset: self.count(offset, "offset")?,
            shape: sizes(shape, "shape")?,
            stride: sizes(stride, "stride")?,
        })
    }

    /// ('storage', type, name, device, elements)
    pub(super) fn persistent(&mut self, id: usize) -> Result<()> {
        let Some(&[tag, class, name, _, length]) = self.sequence(id) else {
            bail!("a reference that is not to a storage");
        };
        let (Node::Text(tag), Node::Global(_, class), Node::Text(name)) =
            (&self.nodes[tag], &self.nodes[class], &self.nodes[name])
        else {
            bail!("a reference that is not to a storage");
        };
        ensure!(
            tag == "storage",
            "a reference to `{tag}`, expected `storage`"
        );
        // FloatStorage, and so on; the name of the file goes nowhere but into the archive.
        let element = class.strip_suffix("Storage").unwrap_or(class).to_string();
        let bytes = name.len() + element.len();
        let storage = Node::Storage(
            name.clone(),
            element,
            self.count(length, "length of a storage")?,
        );
        self.budget.spend(bytes)?;
        self.push(storage);
        Ok(())
    }

    fn count(&self, id: usize, what: &str) -> Result<usize> {
        match &self.nodes[id] {
            Node::Int(n) => usize::try_from(*n).with_context(|| format!("the {what} is {n}")),
            _ => bail!("the {what} is not a whole number"),
        }
    }
}
