//! A posterior whose family is chosen at run time, made from the list in [`posterior`](super).

use serde::{Deserialize, Serialize};

use super::family::{FamilyInfo, LatentSettings};
use super::*;

macro_rules! define {
    (
        posteriors { $($(#[$variant_meta:meta])* $variant:ident($posterior:ty),)* }
        families { $($(#[$family_meta:meta])* $family:ident = $latents:path,)* }
    ) => {
        /// Any of the families, chosen at run time by a configuration.
        ///
        /// ```
        /// use burn::tensor::{Device, Tensor};
        /// use scotopic::posterior::{AnyPosterior, PoissonPosterior, Posterior};
        /// let q = AnyPosterior::from(PoissonPosterior::new(Tensor::zeros([2, 3], &Device::flex())));
        /// assert_eq!(q.names(), ["u"]);
        /// assert_eq!(q.mean().dims(), [2, 3]);
        /// ```
        #[derive(Debug, Clone)]
        // A few tensor handles more or less: a box would be an allocation at every step.
        #[allow(clippy::large_enum_variant)]
        pub enum AnyPosterior {
            $($(#[$variant_meta])* $variant($posterior),)*
        }

        $(impl From<$posterior> for AnyPosterior {
            fn from(posterior: $posterior) -> Self {
                Self::$variant(posterior)
            }
        })*

        /// Families of latents, as configurations name them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Family {
            $($(#[$family_meta])* $family,)*
        }

        impl Family {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$family),*];

            /// What is to be known of it before there is a belief.
            pub fn info(self) -> FamilyInfo {
                match self {
                    $(Self::$family => $latents.info,)*
                }
            }

            /// The belief with these components, `[batch, latent]` each.
            ///
            /// # Panics
            /// If there are not as many as the family has.
            pub fn belief(self, components: Vec<Tensor<2>>, settings: &LatentSettings) -> AnyPosterior {
                match self {
                    $(Self::$family => ($latents.posterior)(components, settings).into(),)*
                }
            }
        }

        /// The same expression for every family.
        macro_rules! each {
            ($belief:expr, $q:ident => $what:expr) => {
                match $belief {
                    $(AnyPosterior::$variant($q) => $what,)*
                }
            };
        }

        /// The same expression for two beliefs of one family.
        macro_rules! both {
            ($a:expr, $b:expr, ($q:ident, $p:ident) => $what:expr) => {
                match ($a, $b) {
                    $((AnyPosterior::$variant($q), AnyPosterior::$variant($p)) => $what,)*
                    _ => panic!("a belief and its prior must be of one family"),
                }
            };
        }
    };
}
families!(define);

impl Posterior for AnyPosterior {
    fn names(&self) -> &'static [&'static str] {
        each!(self, q => q.names())
    }

    fn components(&self) -> Vec<Tensor<2>> {
        each!(self, q => q.components())
    }

    fn with_components(&self, components: Vec<Tensor<2>>) -> Self {
        each!(self, q => q.with_components(components).into())
    }

    fn sample(&self, sampling: Sampling, noise: Noise) -> Tensor<2> {
        each!(self, q => q.sample(sampling, noise))
    }

    fn activate(&self, z: Tensor<2>) -> Tensor<2> {
        each!(self, q => q.activate(z))
    }

    fn mean(&self) -> Tensor<2> {
        each!(self, q => q.mean())
    }

    fn log_rate(&self) -> Option<Tensor<2>> {
        each!(self, q => q.log_rate())
    }

    fn cost(&self) -> Option<Cost> {
        each!(self, q => q.cost())
    }

    fn reparameterisation(&self) -> Option<Reparameterisation> {
        each!(self, q => q.reparameterisation())
    }

    fn representation(&self) -> Tensor<2> {
        each!(self, q => q.representation())
    }

    fn spread(
        &self,
        diagonal: &Tensor<2>,
        at_mean: impl FnOnce() -> Tensor<1>,
    ) -> Option<Tensor<1>> {
        each!(self, q => q.spread(diagonal, at_mean))
    }

    /// # Panics
    /// If the prior is of another family.
    fn kl_from(&self, prior: &Self, form: KlForm) -> Tensor<2> {
        both!(self, prior, (q, p) => q.kl_from(p, form))
    }

    fn gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        beta: f64,
        prior: &Self,
    ) -> Vec<Tensor<2>> {
        both!(self, prior, (q, p) => q.gradient(z, pulled_back, beta, p))
    }

    fn natural_gradient(
        &self,
        z: &Tensor<2>,
        pulled_back: Tensor<2>,
        leak: Option<(f64, &Self)>,
        homeostasis: Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let Some((beta, prior)) = leak else {
            return each!(self, q => q.natural_gradient(z, pulled_back, None, homeostasis));
        };
        both!(self, prior, (q, p) => {
            q.natural_gradient(z, pulled_back, Some((beta, p)), homeostasis)
        })
    }

    fn advance(
        &self,
        drives: Vec<Tensor<2>>,
        curvature: Option<&Tensor<2>>,
        clamps: &Clamps,
    ) -> Self {
        each!(self, q => q.advance(drives, curvature, clamps).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_the_names_that_configurations_give_them() {
        for family in Family::ALL {
            let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
                serde::de::IntoDeserializer::into_deserializer(family.info().name);
            assert_eq!(Family::deserialize(name).as_ref(), Ok(family));
        }
    }
}
