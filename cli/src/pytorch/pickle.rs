//! The stack machine of pickles, as far as checkpoints need it, with everything it makes in an arena.
//!
//! A memo reference copies a number, never a value, so that no pickle makes more nodes than it has bytes; nothing
//! here recurses, so that none is too deep. (Above 400 lines: the opcodes are one table, best read in one place.)

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};

use super::view::View;

/// What a pickle makes. Numbers are places in the arena.
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
    memo: HashMap<u32, usize>,
}

impl<'a> Machine<'a> {
    /// One instruction; the result if it was the last.
    fn step(&mut self) -> Result<Option<usize>> {
        let [op] = self.bytes()?;
        match op {
            // PROTO, FRAME
            0x80 => drop(self.bytes::<1>()?),
            0x95 => drop(self.bytes::<8>()?),
            b'.' => return Ok(Some(self.pop()?)),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.above_mark()?),
            // None, booleans, fractions, LONG1, LONG4: all that matters is that they take one place.
            b'N' | 0x88 | 0x89 => self.push(Node::Opaque),
            b'G' => {
                self.bytes::<8>()?;
                self.push(Node::Opaque);
            }
            0x8a => {
                let [length] = self.bytes()?;
                let little = self.take(length as usize)?;
                let node = long(little).map_or(Node::Opaque, Node::Int);
                self.push(node);
            }
            0x8b => {
                let length = self.length4()?;
                self.take(length)?;
                self.push(Node::Opaque);
            }
            // BININT, BININT1, BININT2
            b'J' => {
                let value = i32::from_le_bytes(self.bytes()?);
                self.push(Node::Int(value.into()));
            }
            b'K' => {
                let [value] = self.bytes()?;
                self.push(Node::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.bytes()?);
                self.push(Node::Int(value.into()));
            }
            // Texts: BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, and those of Python 2
            b'X' | b'T' => {
                let length = self.length4()?;
                self.text(length)?;
            }
            0x8c | b'U' => {
                let [length] = self.bytes()?;
                self.text(length.into())?;
            }
            0x8d => {
                let length = self.length8()?;
                self.text(length)?;
            }
            // Bytes: BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
            b'B' => {
                let length = self.length4()?;
                self.take(length)?;
                self.push(Node::Opaque);
            }
            b'C' => {
                let [length] = self.bytes()?;
                self.take(length.into())?;
                self.push(Node::Opaque);
            }
            0x8e | 0x96 => {
                let length = self.length8()?;
                self.take(length)?;
                self.push(Node::Opaque);
            }
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
            0x8f => self.push(Node::Opaque),
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
            b'q' => {
                let [key] = self.bytes()?;
                self.remember(key.into())?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.bytes()?);
                self.remember(key)?;
            }
            0x94 => {
                let key = self.memo.len() as u32;
                self.remember(key)?;
            }
            b'h' => {
                let [key] = self.bytes()?;
                self.recall(key.into())?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.bytes()?);
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

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    fn length4(&mut self) -> Result<usize> {
        Ok(u32::from_le_bytes(self.bytes()?) as usize)
    }

    fn length8(&mut self) -> Result<usize> {
        let length = u64::from_le_bytes(self.bytes()?);
        usize::try_from(length).context("a length beyond this machine")
    }

    fn line(&mut self) -> Result<String> {
        let left = &self.program[self.at..];
        let end = left.iter().position(|&b| b == b'\n');
        let line = self.take(end.context("a line without an end")?)?;
        self.at += 1;
        Ok(std::str::from_utf8(line)?.to_string())
    }

    fn text(&mut self, length: usize) -> Result<()> {
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Node::Text(text));
        Ok(())
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

    fn remember(&mut self, key: u32) -> Result<()> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
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

    fn sequence(&self, id: usize) -> Option<&[usize]> {
        match &self.nodes[id] {
            Node::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// What Python would get by calling a name: a tensor, a dictionary, or something that is nothing to us.
    fn call(&mut self, callable: usize, arguments: usize) -> Result<()> {
        let (module, name) = match &self.nodes[callable] {
            Node::Global(module, name) => (module.as_str(), name.as_str()),
            _ => ("", ""),
        };
        let arguments = self.sequence(arguments).unwrap_or(&[]);
        match (module, name) {
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor" | "_rebuild_tensor_v3") => {
                let view = self.tensor(arguments).context("a tensor")?;
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
                let dict = Node::Dict(pairs.collect());
                self.push(dict);
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
    fn persistent(&mut self, id: usize) -> Result<()> {
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
        let storage = Node::Storage(
            name.clone(),
            element,
            self.count(length, "length of a storage")?,
        );
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
mod tests {
    use super::*;

    /// {'a': 1} by hand, with a memo, in protocols 2 and 4.
    #[test]
    fn dictionaries_of_both_protocols() {
        for program in [
            &b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s."[..],
            b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.",
        ] {
            let (nodes, top) = run(program).unwrap();
            let Node::Dict(pairs) = &nodes[top] else {
                panic!("{nodes:?}");
            };
            let [(key, value)] = pairs[..] else {
                panic!("{pairs:?}");
            };
            assert_eq!(
                (&nodes[key], &nodes[value]),
                (&Node::Text("a".into()), &Node::Int(1))
            );
        }
    }

    #[test]
    fn whole_numbers_of_every_length() {
        for (bytes, expected) in [
            (&[][..], Some(0)),
            (&[0xff], Some(-1)),
            (&[0x00, 0x01], Some(256)),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
                Some(i64::MAX),
            ),
            (&[0; 9], None),
        ] {
            assert_eq!(long(bytes), expected);
        }
    }

    /// Nothing is called: os.system stays a name.
    #[test]
    fn what_a_pickle_would_call_is_not_called() {
        let (nodes, top) = run(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.").unwrap();
        assert_eq!(nodes[top], Node::Opaque);
    }

    #[test]
    fn pickles_that_are_wrong_are_refused() {
        for (program, expected) in [
            (&b""[..], "it ends 1 bytes too early"),
            (b"\x80\x02}", "it ends 1 bytes too early"),
            (b"\x80\x02.", "it takes more than there is"),
            (b"X\xff\xff\xff\xffab", "bytes too early"),
            (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab", "bytes too early"),
            (b"h\x00.", "the memo has no 0"),
            (b"cos\nsystem", "a line without an end"),
            (b"t.", "there is no mark"),
            (b"K\x01(0.", "it takes more than there is"),
            (b"}(K\x01u.", "a key without a value"),
            (b"K\x01Q.", "not to a storage"),
            (b"P0\n.", "instruction 0x50"),
        ] {
            let error = format!("{:#}", run(program).unwrap_err());
            assert!(error.contains(expected), "{program:?}: {error}");
            assert!(error.contains("at byte"), "{program:?}: {error}");
        }
    }

    /// A list in itself, and a list of lists of lists … each ten times: a machine that copied would not come back.
    #[test]
    fn cycles_and_bombs_stay_small() {
        let (nodes, _) = run(b"]q\x00h\x00a.").unwrap();
        assert_eq!(nodes, [Node::Sequence(vec![0])]);
        let mut bomb = b"]q\x00".to_vec();
        for level in 1..=100u8 {
            bomb.extend(b"](");
            (0..10).for_each(|_| bomb.extend([b'h', level - 1]));
            bomb.extend([b'e', b'q', level]);
        }
        bomb.push(b'.');
        assert_eq!(run(&bomb).unwrap().0.len(), 101);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = run(&bytes);
        }
    }
}
