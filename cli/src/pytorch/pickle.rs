//! The stack machine of pickles, as far as checkpoints need it, with its values in an arena.
//!
//! A memo reference copies a number, never a value, so that no pickle makes more nodes than it has bytes; nothing
//! here recurses, so that none is too deep. The crate pytorch-reader copies values, within bounds that are wider: it
//! takes pickles of 100 MiB, makes tensors of up to 10 GiB out of one number that is repeated, and refuses a whole
//! file for a tensor in it that nobody asked for.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};

use super::view::View;

mod construct;

/// Values of a pickle. Numbers are places in the arena.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A tuple or list.
    Sequence(Vec<usize>),
    /// Pairs of key and value.
    Dict(Vec<(usize, usize)>),
    /// A name of Python's: module and attribute.
    Global(String, String),
    /// Numbers in the archive: name, element, length.
    Storage(String, String, usize),
    /// A tensor.
    Tensor(View),
    /// Anything else: None, fractions, objects.
    Opaque,
}

/// Bytes that may still be copied out of a pickle. Its own length bounds what it holds; copies (of a text that is named a
/// million times, of a list that becomes a million dictionaries) need a bound of their own.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(32 << 20)
    }
}

impl Budget {
    /// # Errors
    /// If no more may be copied.
    pub fn spend(&mut self, bytes: usize) -> Result<()> {
        let left = self.0.checked_sub(bytes);
        self.0 = left.context("it grows to more memory than the names of any model take")?;
        Ok(())
    }
}

/// Runs a pickle; all nodes, and which of them is the result.
///
/// # Errors
/// Names the position and what is wrong there.
pub(super) fn run(program: &[u8]) -> Result<(Vec<Node>, usize)> {
    let mut machine = Machine {
        program,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        budget: Budget::default(),
    };
    loop {
        let at = machine.at;
        let done = machine.step();
        if let Some(top) = done.with_context(|| format!("at byte {at}"))? {
            return Ok((machine.nodes, top));
        }
    }
}

struct Machine<'a> {
    program: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<usize>,
    /// Heights of the stack at which marks lie.
    marks: Vec<usize>,
    memo: HashMap<u64, usize>,
    budget: Budget,
}

impl<'a> Machine<'a> {
    /// One instruction; the result if it was the last.
    fn step(&mut self) -> Result<Option<usize>> {
        let op = self.take(1)?[0];
        match op {
            // PROTO, FRAME
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            b'.' => return Ok(Some(self.pop()?)),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.above_mark()?),
            // None, booleans, fractions, LONG4: all that matters is that they take one place. So do bytes: BINBYTES,
            // SHORT_BINBYTES, BINBYTES8, BYTEARRAY8, and EMPTY_SET.
            b'N' | 0x88 | 0x89 | 0x8f => self.push(Node::Opaque),
            b'G' => {
                self.take(8)?;
                self.push(Node::Opaque);
            }
            0x8b | b'B' => self.opaque(4)?,
            b'C' => self.opaque(1)?,
            0x8e | 0x96 => self.opaque(8)?,
            // LONG1, BININT, BININT1, BININT2
            0x8a => {
                let node = long(self.counted(1)?).map_or(Node::Opaque, Node::Int);
                self.push(node);
            }
            b'J' => {
                let value = self.little(4)? as u32 as i32;
                self.push(Node::Int(value.into()));
            }
            b'K' | b'M' => {
                let value = self.little(if op == b'K' { 1 } else { 2 })?;
                self.push(Node::Int(value as i64));
            }
            // Texts: BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, and those of Python 2
            b'X' | b'T' => self.text(4)?,
            0x8c | b'U' => self.text(1)?,
            0x8d => self.text(8)?,
            // Tuples and lists
            b')' | b']' => self.push(Node::Sequence(Vec::new())),
            b't' | b'l' => {
                let items = self.above_mark()?;
                self.push(Node::Sequence(items));
            }
            0x85..=0x87 => {
                let from = self.depth((op - 0x84).into())?;
                let items = self.stack.split_off(from);
                self.push(Node::Sequence(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.above_mark()?;
                self.append(&items)?;
            }
            // Dictionaries, and sets, which are nothing to us
            b'}' => self.push(Node::Dict(Vec::new())),
            0x90 => drop(self.above_mark()?),
            0x91 => {
                self.above_mark()?;
                self.push(Node::Opaque);
            }
            b'd' => {
                let items = self.above_mark()?;
                self.push(Node::Dict(Vec::new()));
                self.set(&items)?;
            }
            b's' => {
                let from = self.depth(2)?;
                let pair = self.stack.split_off(from);
                self.set(&pair)?;
            }
            b'u' => {
                let items = self.above_mark()?;
                self.set(&items)?;
            }
            // The memo
            b'q' | b'r' => {
                let key = self.little(if op == b'q' { 1 } else { 4 })?;
                self.remember(key)?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'h' | b'j' => {
                let key = self.little(if op == b'h' { 1 } else { 4 })?;
                self.recall(key)?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            // Names, and what they would construct
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Node::Global(module, name));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Node::Text(module), Node::Text(name)) =
                    (&self.nodes[module], &self.nodes[name])
                else {
                    bail!("a name that is not a text");
                };
                self.budget.spend(module.len() + name.len())?;
                let global = Node::Global(module.clone(), name.clone());
                self.push(global);
            }
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(callable, arguments)?;
            }
            0x92 => {
                let from = self.depth(3)?;
                self.stack.truncate(from);
                self.push(Node::Opaque);
            }
            // BUILD sets the attributes of an object; none of ours has any that matter.
            b'b' => {
                self.pop()?;
                self.top()?;
            }
            b'Q' => {
                let id = self.pop()?;
                self.persistent(id)?;
            }
            other => bail!(
                "the instruction {other:#04x}, which no checkpoint of PyTorch needs (or the file is damaged)"
            ),
        }
        Ok(None)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let left = &self.program[self.at..];
        ensure!(
            length <= left.len(),
            "it ends {} bytes too early",
            length - left.len()
        );
        self.at += length;
        Ok(&left[..length])
    }

    /// A number of so many bytes, at most eight, the lowest first.
    fn little(&mut self, width: usize) -> Result<u64> {
        let bytes = self.take(width)?.iter().rev();
        Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// What follows a length of so many bytes.
    fn counted(&mut self, width: usize) -> Result<&'a [u8]> {
        let length =
            usize::try_from(self.little(width)?).context("a length beyond this machine")?;
        self.take(length)
    }

    fn opaque(&mut self, width: usize) -> Result<()> {
        self.counted(width)?;
        self.push(Node::Opaque);
        Ok(())
    }

    fn text(&mut self, width: usize) -> Result<()> {
        let text = String::from_utf8_lossy(self.counted(width)?).into_owned();
        self.push(Node::Text(text));
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let left = &self.program[self.at..];
        let end = left.iter().position(|&b| b == b'\n');
        let line = self.take(end.context("a line without an end")?)?;
        self.at += 1;
        Ok(std::str::from_utf8(line)?.to_string())
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// The height of the stack with `n` taken off, which must lie above the last mark.
    fn depth(&self, n: usize) -> Result<usize> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let height = self.stack.len().checked_sub(n);
        height
            .filter(|&height| height >= floor)
            .context("it takes more than there is")
    }

    fn pop(&mut self) -> Result<usize> {
        self.depth(1)?;
        self.stack.pop().context("it takes more than there is")
    }

    fn top(&self) -> Result<usize> {
        Ok(self.stack[self.depth(1)?])
    }

    fn above_mark(&mut self) -> Result<Vec<usize>> {
        let mark = self.marks.pop().context("there is no mark")?;
        // Below a mark nothing is taken: the stack is at least as high.
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn remember(&mut self, key: u64) -> Result<()> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<()> {
        let node = self.memo.get(&key);
        let node = *node.with_context(|| format!("the memo has no {key}"))?;
        self.stack.push(node);
        Ok(())
    }

    fn append(&mut self, items: &[usize]) -> Result<()> {
        let top = self.top()?;
        if let Node::Sequence(list) = &mut self.nodes[top] {
            list.extend(items);
        }
        Ok(())
    }

    fn set(&mut self, items: &[usize]) -> Result<()> {
        ensure!(
            items.len().is_multiple_of(2),
            "a key without a value in a dictionary"
        );
        let top = self.top()?;
        if let Node::Dict(pairs) = &mut self.nodes[top] {
            pairs.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        Ok(())
    }
}

/// A whole number of up to eight bytes, the lowest first, in two's complement.
fn long(little: &[u8]) -> Option<i64> {
    let filling = match little.last() {
        Some(&high) if high >= 0x80 => 0xff,
        _ => 0,
    };
    let mut bytes = [filling; 8];
    bytes.get_mut(..little.len())?.copy_from_slice(little);
    Some(i64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests;
