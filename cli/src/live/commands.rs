//! What clients send: JSON for controls; for pictures and series bytes after a short header.
//!
//! ```text
//! 1  channels  0 0  serial u32  height u16  width u16  pixels u8 [channels, height, width]
//! 2  length    0 0  name [length]  text of the series
//! ```
//!
//! Numbers are little-endian; `serial` is that of the model whose pixels these are.

use serde::Deserialize;

/// The most bytes of a message.
pub const MOST: usize = 8 << 20;

/// A message of a client.
#[derive(Debug, PartialEq)]
pub enum Received {
    /// For the network.
    Network(NetworkCommand),
    /// For the filter.
    Filter(FilterCommand),
    /// Not one of these, and why.
    Unknown(String),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "to", content = "command", rename_all = "kebab-case")]
enum Addressed {
    Network(NetworkCommand),
    Filter(FilterCommand),
}

/// Controls of the network tab.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NetworkCommand {
    /// Factor of the deviations from the blank picture.
    Contrast { value: f32 },
    /// Standard deviation of the pixel noise, in those of the picture's own scale.
    Noise { value: f32 },
    /// The share of the columns that is covered, from the right.
    Occlusion { value: f32 },
    /// Steps in a second.
    Rate { value: f32 },
    /// Stops time.
    Freeze,
    /// Lets time go on.
    Go,
    /// One step.
    Step,
    /// Back to rest.
    Reset,
    /// Loads a checkpoint that was listed.
    Load { id: String },
    /// Looks for checkpoints again.
    List,
    /// A picture; only as bytes.
    #[serde(skip)]
    Picture(Pixels),
}

/// A picture as a client gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// The model that it was made for.
    pub serial: u32,
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// `[channels, height, width]`, 0 is black.
    pub values: Vec<u8>,
}

/// Controls of the filter tab.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FilterCommand {
    /// A model file.
    Model { name: String, text: String },
    /// Learns by a rule of the model, or not at all.
    Learn { rule: Option<String> },
    /// Observations a second; none is as fast as they come.
    Speed { value: Option<f64> },
    /// Goes on.
    Go,
    /// Stops.
    Freeze,
    /// One observation.
    Step,
    /// From the first observation.
    Restart,
    /// A series; only as bytes.
    #[serde(skip)]
    Data { name: String, bytes: Vec<u8> },
}

impl Received {
    /// A message of text.
    pub fn of_text(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Addressed::Network(command)) => Self::Network(command),
            Ok(Addressed::Filter(command)) => Self::Filter(command),
            Err(error) => Self::Unknown(format!("not a command: {error}")),
        }
    }

    /// A message of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::picture(bytes)
            .or_else(|| Self::data(bytes))
            .unwrap_or_else(|| {
                Self::Unknown("bytes that are neither a picture nor a series".to_owned())
            })
    }

    fn picture(bytes: &[u8]) -> Option<Self> {
        let (head, values) = bytes.split_first_chunk::<12>()?;
        let [1, channels, 0, 0, s0, s1, s2, s3, h0, h1, w0, w1] = *head else {
            return None;
        };
        let [height, width] = [[h0, h1], [w0, w1]].map(|n| usize::from(u16::from_le_bytes(n)));
        let shape = [usize::from(channels), height, width];
        (values.len() == shape.iter().product::<usize>()).then(|| {
            Self::Network(NetworkCommand::Picture(Pixels {
                serial: u32::from_le_bytes([s0, s1, s2, s3]),
                shape,
                values: values.to_vec(),
            }))
        })
    }

    fn data(bytes: &[u8]) -> Option<Self> {
        let (&[2, length, 0, 0], rest) = bytes.split_first_chunk::<4>()? else {
            return None;
        };
        let (name, data) = rest.split_at_checked(usize::from(length))?;
        Some(Self::Filter(FilterCommand::Data {
            name: String::from_utf8(name.to_vec()).ok()?,
            bytes: data.to_vec(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_and_others_named() {
        let of = Received::of_text;
        assert_eq!(
            of(r#"{"to":"network","command":{"do":"contrast","value":1.5}}"#),
            Received::Network(NetworkCommand::Contrast { value: 1.5 })
        );
        assert_eq!(
            of(r#"{"to":"filter","command":{"do":"restart"}}"#),
            Received::Filter(FilterCommand::Restart)
        );
        assert_eq!(
            of(r#"{"to":"filter","command":{"do":"learn","rule":null}}"#),
            Received::Filter(FilterCommand::Learn { rule: None })
        );
        for text in [
            "",
            "1",
            "{}",
            r#"{"to":"network","command":{"do":"picture"}}"#,
            r#"{"to":"network","command":{"do":"load"}}"#,
        ] {
            assert!(matches!(of(text), Received::Unknown(_)), "{text}");
        }
    }

    #[test]
    fn bytes_are_pictures_or_series() {
        let picture = [1, 1, 0, 0, 7, 0, 0, 0, 1, 0, 2, 0, 10, 20];
        let expected = Pixels {
            serial: 7,
            shape: [1, 1, 2],
            values: vec![10, 20],
        };
        assert_eq!(
            Received::of_bytes(&picture),
            Received::Network(NetworkCommand::Picture(expected))
        );
        let series = [&[2, 5, 0, 0][..], b"a.csv", b"x\n1\n"].concat();
        let expected = FilterCommand::Data {
            name: "a.csv".to_owned(),
            bytes: b"x\n1\n".to_vec(),
        };
        assert_eq!(Received::of_bytes(&series), Received::Filter(expected));
        for bytes in [&[][..], &[1], &picture[..13], &series[..6], &[3; 40]] {
            assert!(
                matches!(Received::of_bytes(bytes), Received::Unknown(_)),
                "{bytes:?}"
            );
        }
    }
}
