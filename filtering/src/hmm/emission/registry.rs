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

            /// [`Guess::check`] of this kind.
            ///
            /// # Errors
            /// Those of [`Guess::check`].
            pub fn check(self, row: &[f64]) -> Result<()> {
                match self { $(Self::$emission => $emission::check(row)),+ }
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

            /// [`Guess::scattered`] of this kind.
            ///
            /// # Errors
            /// Those of [`Guess::scattered`].
            pub fn scattered<R: Rng + ?Sized>(
                self,
                states: usize,
                rows: &[&[f64]],
                rng: &mut R,
            ) -> Result<AnyEmission> {
                match self {
                    $(Self::$emission => $emission::scattered(states, rows, rng).map(Into::into)),+
                }
            }
        }

        impl EmissionKind {
            /// [`Guess::guess_given`] of this kind.
            ///
            /// # Errors
            /// Those of [`Guess::guess_given`].
            pub fn guess_given<R: Rng + ?Sized>(
                self,
                states: usize,
                rows: &[&[f64]],
                covariates: &Covariates,
                rng: &mut R,
            ) -> Result<AnyEmission> {
                match self {
                    $(Self::$emission => {
                        $emission::guess_given(states, rows, covariates, rng).map(Into::into)
                    })+
                }
            }

            /// [`Guess::scattered_given`] of this kind.
            ///
            /// # Errors
            /// Those of [`Guess::scattered_given`].
            pub fn scattered_given<R: Rng + ?Sized>(
                self,
                states: usize,
                rows: &[&[f64]],
                covariates: &Covariates,
                rng: &mut R,
            ) -> Result<AnyEmission> {
                match self {
                    $(Self::$emission => {
                        $emission::scattered_given(states, rows, covariates, rng).map(Into::into)
                    })+
                }
            }
        }

        impl AnyEmission {
            /// Which emission it is.
            pub fn kind(&self) -> EmissionKind {
                match self { $(Self::$emission(_) => EmissionKind::$emission),+ }
            }
        }

        /// What two emissions say of each other if they are of one kind; the last expression if not.
        macro_rules! both {
            ($a:expr, $b:expr, ($x:ident, $y:ident) => $body:expr, _ => $otherwise:expr) => {
                match ($a, $b) {
                    $((AnyEmission::$emission($x), AnyEmission::$emission($y)) => $body,)+
                    #[allow(unreachable_patterns)]
                    _ => $otherwise,
                }
            };
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
