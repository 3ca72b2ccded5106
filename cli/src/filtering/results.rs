//! The file that output lines go to: begun anew, or continued where a saved filter stood.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::{LineFormat, Lines};

/// Where output lines go.
#[derive(Debug)]
pub struct Results {
    /// The lines.
    pub lines: Lines<BufWriter<Sink>>,
    path: Option<PathBuf>,
}

/// A file or standard output.
#[derive(Debug)]
pub enum Sink {
    /// A file.
    File(File),
    /// Standard output.
    Stdout(io::Stdout),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

impl Results {
    /// Lines to standard output.
    pub fn stdout(format: LineFormat) -> Self {
        let sink = BufWriter::new(Sink::Stdout(io::stdout()));
        Self {
            lines: Lines::new(sink, format),
            path: None,
        }
    }

    /// Lines to a new file, in the place of one that is there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: &Path, format: LineFormat) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("could not write {}", path.display()))?;
        let lines = Lines::new(BufWriter::new(Sink::File(file)), format);
        Ok(Self {
            lines,
            path: Some(path.to_owned()),
        })
    }

    /// Lines added to a file of a filter that had taken in `observations`: later ones, which a kill left behind, are cut, as is
    /// half a line. A file that is not there is begun.
    ///
    /// # Errors
    /// If it cannot be read or written, or holds something else than such lines, in CSV under the header `header`, or ends before the
    /// filter: of every `every`-th observation or, where that is more, of as many as its last two lines.
    pub fn append(
        path: &Path,
        format: LineFormat,
        header: &str,
        observations: u64,
        every: u64,
    ) -> Result<Self> {
        let context = || format!("could not continue {}", path.display());
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Self::create(path, format),
            other => other.with_context(context)?,
        };
        let (kept, [before, last]) =
            kept(&mut BufReader::new(&mut file), format, header, observations)
                .with_context(context)?;
        let step = every.max(last - before);
        if every > 0 && last > 0 && last + step <= observations {
            return Err(anyhow!(
                "its last line is of observation {last}, and the saved filter has taken in {observations}: lines would be missing \
                 between them; {ADVICE}"
            )
            .context(context()));
        }
        file.set_len(kept).with_context(context)?;
        file.seek(SeekFrom::End(0)).with_context(context)?;
        let sink = BufWriter::new(Sink::File(file));
        let lines = match kept {
            0 => Lines::new(sink, format),
            _ => Lines::continued(sink, format),
        };
        Ok(Self {
            lines,
            path: Some(path.to_owned()),
        })
    }

    /// Hands over all lines; those of a file are on the disk afterwards, so that a snapshot may count them.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn sync(&mut self) -> io::Result<()> {
        self.lines.flush()?;
        match self.lines.get_ref().get_ref() {
            // A pipe has nothing to sync.
            Sink::File(file) => match file.sync_data() {
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => Ok(()),
                synced => synced,
            },
            Sink::Stdout(_) => Ok(()),
        }
    }

    /// What the lines go to, in words.
    pub fn name(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => "standard output".to_owned(),
        }
    }
}

const ADVICE: &str = "give another --out, or --force to begin it anew";

/// The bytes of whole lines up to observation `observations`, and the observations of the last two of them, 0 where there is none.
fn kept(
    reader: &mut impl BufRead,
    format: LineFormat,
    header: &str,
    observations: u64,
) -> Result<(u64, [u64; 2])> {
    /// Far above any line that is written here.
    const LONGEST: u64 = 1 << 26;
    let (mut kept, mut line, mut last) = (0, Vec::new(), [0, 0]);
    for number in 1.. {
        line.clear();
        let read = io::Read::take(&mut *reader, LONGEST).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            ensure!(
                number > 1 || read == 0,
                "it is no output of scotopic filter: {ADVICE}"
            );
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let t = match format {
            LineFormat::Csv if number == 1 => {
                let found = text.trim_end();
                ensure!(
                    found == header,
                    "it has another header, {}, and these lines have {header} (--alarm adds tail and alarm, --time adds time): {ADVICE}",
                    beginning(found)
                );
                Some(0)
            }
            LineFormat::Csv => text.split(',').next().and_then(|t| t.parse().ok()),
            LineFormat::Jsonl => text
                .strip_prefix("{\"t\":")
                .and_then(|rest| rest.split(',').next())
                .and_then(|t| t.parse::<u64>().ok()),
        };
        match t {
            Some(t) if t <= observations => {
                kept += read as u64;
                last = [last[1].min(t), t];
            }
            Some(_) => break,
            None => bail!("line {number} is no output of scotopic filter: {ADVICE}"),
        }
    }
    Ok((kept, last))
}

/// The beginning of a line that may be of any length.
fn beginning(line: &str) -> String {
    const MOST: usize = 200;
    let more = if line.chars().count() > MOST {
        "…"
    } else {
        ""
    };
    line.chars().take(MOST).chain(more.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_a_snapshot_has_not_counted_are_cut() {
        let header = "t,seen,increment,elbo";
        let both = |text: &str, format, n| kept(&mut text.as_bytes(), format, header, n);
        let kept = |text: &str, format, n| Ok::<_, anyhow::Error>(both(text, format, n)?.0);
        let json = "{\"t\":1,\"x\":0}\n{\"t\":2,\"x\":0}\n{\"t\":3,\"x";
        assert_eq!(kept(json, LineFormat::Jsonl, 1).unwrap(), 14);
        assert_eq!(kept(json, LineFormat::Jsonl, 9).unwrap(), 28);
        assert_eq!(both(json, LineFormat::Jsonl, 9).unwrap().1, [1, 2]);
        let csv = "t,seen,increment,elbo\n1,1,0,0\n2,1,0,0\n";
        assert_eq!(kept(csv, LineFormat::Csv, 1).unwrap(), 30);
        assert_eq!(kept("", LineFormat::Csv, 1).unwrap(), 0);
        assert!(kept("a,b\n1,2\n", LineFormat::Csv, 1).is_err());
        assert!(kept(&csv.replace("elbo", "elbo,q1"), LineFormat::Csv, 1).is_err());
        assert!(kept("{\"t\":1,\"x\":0}\nnote\n", LineFormat::Jsonl, 9).is_err());
    }
}
