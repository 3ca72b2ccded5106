//! Keys that had another name before: what was written then is read as if it said it in today's words.

use anyhow::{Result, bail};
use toml::{Table, Value};

use super::table::merge;

/// Old and new, parents before their children. The same names are serde aliases of the fields, for configurations that
/// are read whole; these here are for those that are laid over another key by key.
const RENAMED: &[(&str, &str)] = &[
    ("model.transfer", "model.activation"),
    ("model.decoder.transfer", "model.decoder.activation"),
    ("model.decoder.init_deviation", "model.decoder.init_std"),
    ("model.decoder.normalise", "model.decoder.unit_norm"),
    ("model.encoder.transfer", "model.encoder.activation"),
    ("inference.inner", "inference.inner_steps"),
    ("train.batch", "train.batch_size"),
    ("train.parts", "train.micro_batches"),
    ("train.windows", "train.bptt_windows"),
    ("train.rate", "train.learning_rate"),
    ("train.learning_rate.base", "train.learning_rate.peak"),
    ("train.clip", "train.max_grad_norm"),
    ("train.warmup_clip", "train.warmup_max_grad_norm"),
    ("schedule.opening", "schedule.clamp_opening"),
    ("schedule.temperature.over", "schedule.temperature.duration"),
    ("schedule.beta.over", "schedule.beta.duration"),
    (
        "schedule.clamp_opening.over",
        "schedule.clamp_opening.duration",
    ),
];

/// The same of stimuli, each with its kind.
const OF_STIMULI: &[(&str, &str, &str)] = &[
    ("jitter", "reach", "max_offset"),
    ("video", "hold", "steps_per_frame"),
];

/// Gives the keys of a run's configuration, or of a part of one, the names they have today.
///
/// # Errors
/// If a value is there under both names.
pub(super) fn rename(table: &mut Table) -> Result<()> {
    for (old, new) in RENAMED {
        move_key(table, old, new)?;
    }
    Ok(())
}

/// Gives the keys of a stimulus the names they have today.
///
/// # Errors
/// If a value is there under both names.
pub(super) fn rename_stimulus(table: &mut Table, kind: &str) -> Result<()> {
    for (_, old, new) in OF_STIMULI.iter().filter(|(of, ..)| *of == kind) {
        move_key(table, old, new)?;
    }
    Ok(())
}

fn move_key(table: &mut Table, old: &str, new: &str) -> Result<()> {
    let (parents, name) = old.rsplit_once('.').unwrap_or(("", old));
    let mut parent = &mut *table;
    for key in parents.split('.').filter(|key| !key.is_empty()) {
        match parent.get_mut(key) {
            Some(Value::Table(inner)) => parent = inner,
            _ => return Ok(()),
        }
    }
    let Some(value) = parent.remove(name) else {
        return Ok(());
    };
    let renamed = new.rsplit('.').next().unwrap_or(new);
    match (parent.get_mut(renamed), value) {
        (None, value) => drop(parent.insert(renamed.into(), value)),
        (Some(Value::Table(table)), Value::Table(more)) => merge(table, more),
        (Some(_), _) => {
            bail!("`{old}` is what `{new}` was called before: only one of them can be given")
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{PRESETS, RunConfig, resolve, stimulus};
    use super::*;

    #[test]
    fn every_old_name_is_read_whole_and_laid_over_another() {
        for preset in PRESETS {
            let config = resolve(preset.name, None, &[]).unwrap();
            let today: Table = config.to_toml().unwrap().parse().unwrap();
            let mut old = today.clone();
            for (name, new) in RENAMED.iter().rev() {
                let before = old.clone();
                move_key(&mut old, new, name).unwrap();
                assert_ne!(old, before, "there is no {new}");
            }
            let read: RunConfig = Value::Table(old.clone()).try_into().unwrap();
            assert_eq!(read, config, "{}", preset.name);
            rename(&mut old).unwrap();
            assert_eq!(old, today, "{}", preset.name);
        }
    }

    #[test]
    fn old_names_are_assigned_and_both_at_once_are_refused() {
        let sets = [
            "train.rate.base=0.5",
            "train.batch=9",
            "schedule.opening.over=0.25",
        ];
        let config = resolve("smoke", None, &sets.map(String::from)).unwrap();
        assert_eq!(config.train.learning_rate.peak, 0.5);
        assert_eq!(config.train.batch_size, 9);
        assert_eq!(config.schedule.clamp_opening.duration, 0.25);
        let mut both: Table = "[train]\nbatch = 1\nbatch_size = 2\n".parse().unwrap();
        let error = rename(&mut both).unwrap_err().to_string();
        assert!(error.contains("`train.batch_size`"), "{error}");
    }

    #[test]
    fn stimuli_know_their_old_names() {
        for (old, new) in [
            ("kind=jitter,reach=7", "kind=jitter,max_offset=7"),
            (
                "kind=video,path=a,hold=3",
                "kind=video,path=a,steps_per_frame=3",
            ),
        ] {
            assert_eq!(stimulus(old, 0.0).unwrap(), stimulus(new, 0.0).unwrap());
        }
    }
}
