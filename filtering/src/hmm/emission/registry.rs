//! The macro that defines `AnyEmission`, the emission chosen at run time, from the list of emissions.

/// Defines `AnyEmission` and `EmissionKind` over the emissions listed: type, name in files, what a state emits.
macro_rules! registry {
    ($($emission:ident, $name:literal, $emits:literal;)+) => {
        /// One of the emissions of this crate; `kind` names it in a file.
        ///
        /// ```
        /// use scotopic_filtering::hmm::{AnyEmission, Emission, Poisson};
        /// # fn main() -> scotopic_filtering::Result<()> {
        /// let emission: AnyEmission = Poisson::new(vec![vec![2.0], vec![9.0]])?.into();
        /// assert_eq!(emission.states(), 2);
        /// # Ok(()) }
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum AnyEmission {
            $(
                #[doc = concat!("States emit ", $emits, ": `kind = \"", $name, "\"`.")]
                #[serde(rename = $name)]
                $emission($emission),
            )+
        }

        /// Which emission.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum EmissionKind {
            $(
                #[doc = concat!("States emit ", $emits, ".")]
                #[serde(rename = $name)]
                $emission,
            )+
        }

        impl EmissionKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$emission),+];

            /// Its name in files and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$emission => $name),+ }
            }

            /// What its states emit, in words.
            pub fn emits(self) -> &'static str {
                match self { $(Self::$emission => $emits),+ }
            }

            /// [`Guess::guess`] of this kind.
            ///
            /// # Errors
            /// Those of [`Guess::guess`].
            pub fn guess<R: Rng + ?Sized>(
                self,
                states: usize,
                rows: &[&[f64]],
                rng: &mut R,
            ) -> Result<AnyEmission> {
                match self {
                    $(Self::$emission => $emission::guess(states, rows, rng).map(Into::into)),+
                }
            }
        }

        $(
            impl From<$emission> for AnyEmission {
                fn from(emission: $emission) -> Self {
                    Self::$emission(emission)
                }
            }
        )+

        /// The same expression for whichever emission it is.
        macro_rules! each {
            ($any:expr, $e:ident => $body:expr) => {
                match $any { $(AnyEmission::$emission($e) => $body),+ }
            };
        }
    };
}
