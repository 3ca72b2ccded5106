//! Sample series that are part of the crate: public-domain data of the textbooks.

/// A series of the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSeries {
    /// Its name, that of its file without the extension.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Where it comes from, and its terms.
    pub source: &'static str,
    /// The file, in CSV with a header.
    pub csv: &'static str,
}

impl SampleSeries {
    /// All of them.
    ///
    /// ```
    /// use scotopic_datasets::series::{SampleSeries, Series, SeriesFormat, SeriesOptions};
    /// # fn main() -> scotopic_datasets::Result<()> {
    /// let nile = SampleSeries::named("nile").expect("it is there");
    /// let options = SeriesOptions { time: Some("year".into()), ..Default::default() };
    /// let mut series = Series::from_reader("nile.csv", nile.csv.as_bytes(), SeriesFormat::Csv, &options)?;
    /// assert_eq!(series.next_row()?, Some(Some(&[1120.0][..])));
    /// # Ok(()) }
    /// ```
    pub const ALL: &[Self] = &[
        Self {
            name: "nile",
            what: "annual flow of the Nile at Aswan, 1871 to 1970, 10⁸ m³: year, volume",
            source: "Cobb (1978), Durbin and Koopman (2001); public domain",
            csv: include_str!("../../series/nile.csv"),
        },
        Self {
            name: "sunspots",
            what: "yearly sunspot numbers, 1700 to 2008: YEAR, SUNACTIVITY",
            source: "NOAA National Geophysical Data Center; public domain",
            csv: include_str!("../../series/sunspots.csv"),
        },
        Self {
            name: "co2",
            what: "weekly CO2 at Mauna Loa, 1958 to 2001, ppm, 59 weeks missing: date, co2",
            source: "Scripps Institution of Oceanography, CDIAC; public domain",
            csv: include_str!("../../series/co2.csv"),
        },
        Self {
            name: "macrodata",
            what: "quarterly macroeconomic data of the United States, 1959 to 2009: GDP, prices, rates and others",
            source: "Federal Reserve Bank of St. Louis, Bureau of Labor Statistics; public domain",
            csv: include_str!("../../series/macrodata.csv"),
        },
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|sample| sample.name == name)
    }

    /// Its rows, the header left out.
    pub fn rows(&self) -> usize {
        self.csv.lines().count().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{Series, SeriesFormat, SeriesOptions};

    #[test]
    fn every_sample_is_read_whole() {
        for (name, rows, width, missing) in [
            ("nile", 100, 2, 0),
            ("sunspots", 309, 2, 0),
            ("macrodata", 203, 14, 0),
            ("co2", 2284, 1, 59),
        ] {
            let sample = SampleSeries::named(name).unwrap();
            assert_eq!(sample.rows(), rows, "{name}");
            let options = SeriesOptions {
                time: (name == "co2").then(|| "1".to_owned()),
                ..SeriesOptions::default()
            };
            let bytes = sample.csv.as_bytes();
            let mut series = Series::from_reader(name, bytes, SeriesFormat::Csv, &options).unwrap();
            assert_eq!(series.width(), width, "{name}");
            let (mut count, mut gaps) = (0, 0);
            while let Some(row) = series.next_row().unwrap() {
                count += 1;
                gaps += usize::from(row.is_none());
            }
            assert_eq!((count, gaps), (rows, missing), "{name}");
        }
        assert!(SampleSeries::ALL.iter().map(|s| s.csv.len()).sum::<usize>() < 200_000);
    }
}
