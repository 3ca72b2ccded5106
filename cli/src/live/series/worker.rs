//! The thread of the filter: takes commands and rows, and tells all clients.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tungstenite::Message;

use super::rows::{Origin, Read, read};
use super::session::Session;
use super::{Asked, SeriesStart};
use crate::filtering::model_file::ModelFile;
use crate::filtering::names::LearnSpec;
use crate::live::commands::FilterCommand;
use crate::live::hub::{Hub, trouble};
use crate::signals::Stop;
use crate::usage::with_causes;

/// Between two messages of rows.
const TICK: Duration = Duration::from_millis(33);
/// Between two looks whether somebody asks, at rest.
const REST: Duration = Duration::from_millis(100);
/// Between two forecasts, and two looks at the parameters.
const FORECASTS: Duration = Duration::from_millis(150);
/// The most rows of a message.
const ROWS: usize = 400;
/// The most bytes of a model file.
const MODEL: usize = 1 << 20;
/// Rows a second at first.
const SPEED: f64 = 60.0;

/// A series that is being read.
struct Feed {
    rows: Receiver<Read>,
    names: Vec<String>,
    ended: bool,
}

/// The filter, its series, and where it stands.
pub struct Worker {
    start: SeriesStart,
    hub: Arc<Hub>,
    stop: Stop,
    session: Option<Session>,
    feed: Option<Feed>,
    /// Counts filters, so that rows of an earlier one are told apart.
    serial: u64,
    running: bool,
    speed: Option<f64>,
    /// Rows that the speed allows now.
    due: f64,
    forecast_at: Option<Instant>,
    trouble: Option<String>,
}

impl Worker {
    /// At the first row.
    pub fn new(start: SeriesStart, hub: Arc<Hub>, stop: Stop) -> Self {
        let mut new = Self {
            running: start.origin.is_some(),
            start,
            hub,
            stop,
            session: None,
            feed: None,
            serial: 0,
            speed: Some(SPEED),
            due: 0.0,
            forecast_at: None,
            trouble: None,
        };
        if matches!(new.start.origin, Some(Origin::Stdin)) {
            new.speed = None;
        }
        new.begin();
        new
    }

    /// Works until a signal comes.
    pub fn run(mut self, asked: &Receiver<Asked>) {
        let mut last = Instant::now();
        while !self.stop.is_asked() {
            let wait = match self.is_moving() {
                true => TICK.saturating_sub(last.elapsed()),
                false => REST,
            };
            match asked.recv_timeout(wait) {
                Ok(first) => {
                    self.answer(first);
                    while let Ok(next) = asked.try_recv() {
                        self.answer(next);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.is_moving() && last.elapsed() >= TICK {
                let passed = last.elapsed().min(2 * TICK).as_secs_f64();
                last = Instant::now();
                self.due = match self.speed {
                    Some(speed) => (self.due + speed * passed).min(speed.max(1.0)),
                    None => ROWS as f64,
                };
                let rows = (self.due.floor() as usize).min(ROWS);
                self.due -= rows as f64;
                self.advance(rows);
            } else if !self.is_moving() {
                last = Instant::now();
            }
        }
    }

    /// Files wait for somebody who watches; what comes on standard input does not.
    fn is_moving(&self) -> bool {
        let watched = self.hub.count() > 0 || matches!(self.start.origin, Some(Origin::Stdin));
        self.running
            && watched
            && self.session.is_some()
            && self.feed.as_ref().is_some_and(|f| !f.ended)
    }

    fn answer(&mut self, asked: Asked) {
        match asked {
            Asked::Joined(outbox) => {
                outbox.sure(self.state());
                if let Some(rows) = self.all_rows() {
                    outbox.sure(rows);
                }
            }
            Asked::Command(command) => {
                if let Err(error) = self.obey(command) {
                    self.hub.sure(&trouble("filter", &with_causes(&error)));
                }
                self.hub.sure(&self.state());
            }
        }
    }

    fn obey(&mut self, command: FilterCommand) -> Result<()> {
        match command {
            FilterCommand::Model { name, text } => {
                anyhow::ensure!(
                    text.len() <= MODEL,
                    "{name}: a model file may have {MODEL} bytes"
                );
                // A rule of the model before may be none of this one.
                self.change(Some(ModelFile::of_text(&name, &text)?), None)?;
            }
            FilterCommand::Learn { rule } => {
                // By its name alone: what a page sends is never a path.
                let rule = rule.map(LearnSpec::Named);
                self.change(self.start.model.clone(), rule)?;
            }
            FilterCommand::Data { name, bytes } => {
                let bytes = bytes.into();
                self.start.origin = Some(Origin::Given { name, bytes });
                self.running = true;
                if self.speed.is_none() {
                    self.speed = Some(SPEED);
                }
                self.feed = None;
                self.begin();
            }
            FilterCommand::Speed { value } => {
                let known = value.is_none_or(|v| v.is_finite() && v > 0.0);
                anyhow::ensure!(known, "the speed must be a number above 0");
                self.speed = value;
            }
            FilterCommand::Go => {
                if self.feed.as_ref().is_some_and(|f| f.ended) {
                    self.restart()?;
                }
                self.running = true;
            }
            FilterCommand::Freeze => self.running = false,
            FilterCommand::Step => {
                self.running = false;
                self.advance(1);
            }
            FilterCommand::Restart => self.restart()?,
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        let again = self.start.origin.as_ref().is_none_or(Origin::is_repeatable);
        anyhow::ensure!(
            again,
            "standard input can be read only once: start the program again"
        );
        self.feed = None;
        self.begin();
        Ok(())
    }

    /// Another model or rule, from the first row where the series can be read again; if it cannot be used, all stays.
    fn change(&mut self, model: Option<ModelFile>, learn: Option<LearnSpec>) -> Result<()> {
        if let Some(model) = &model {
            Session::new(model, learn.as_ref(), &self.start.factorisation)?;
        }
        (self.start.model, self.start.learn) = (model, learn);
        if self
            .start
            .origin
            .as_ref()
            .is_some_and(Origin::is_repeatable)
        {
            self.feed = None;
        }
        self.begin();
        Ok(())
    }

    /// A new filter, and the series from where it is.
    fn begin(&mut self) {
        self.serial += 1;
        (self.due, self.forecast_at, self.trouble) = (0.0, None, None);
        self.session = None;
        if let Some(model) = &self.start.model {
            let learn = self.start.learn.as_ref();
            match Session::new(model, learn, &self.start.factorisation) {
                Ok(session) => self.session = Some(session),
                Err(error) => self.fail(with_causes(&error)),
            }
        }
        if let (None, Some(origin)) = (&self.feed, &self.start.origin) {
            let inputs = (self.start.model.as_ref()).map_or(&[][..], |file| file.model.inputs());
            let source = self.start.source.given(inputs);
            self.feed = Some(Feed {
                rows: read(origin.clone(), source, self.stop.clone()),
                names: Vec::new(),
                ended: false,
            });
        } else {
            self.check();
        }
    }

    fn fail(&mut self, what: String) {
        self.hub.sure(&trouble("filter", &what));
        self.trouble = Some(what);
        self.running = false;
    }

    /// Whether the model takes the columns, as soon as both are known.
    fn check(&mut self) {
        let (Some(session), Some(feed), Some(origin)) =
            (&self.session, &self.feed, &self.start.origin)
        else {
            return;
        };
        if !feed.names.is_empty()
            && let Err(error) = session.check(&origin.name(), &feed.names)
        {
            self.fail(with_causes(&error));
        }
    }

    /// Takes in up to `most` rows, as far as there are some, and tells them.
    fn advance(&mut self, most: usize) {
        let origin = self
            .start
            .origin
            .as_ref()
            .map(Origin::name)
            .unwrap_or_default();
        let (mut told, mut changed) = (Vec::new(), false);
        while told.len() < most {
            let (Some(feed), Some(session)) = (&mut self.feed, &mut self.session) else {
                break;
            };
            match feed.rows.try_recv() {
                Ok(Read::Opened(names)) => {
                    feed.names = names;
                    changed = true;
                    self.check();
                    if self.trouble.is_some() {
                        break;
                    }
                }
                Ok(Read::Row(row)) => match session.take(&row, &origin) {
                    Ok(row) => told.push(row),
                    Err(error) => {
                        feed.ended = true;
                        changed = true;
                        self.fail(with_causes(&error));
                        break;
                    }
                },
                Ok(Read::Failed(what)) => {
                    feed.ended = true;
                    changed = true;
                    self.fail(what);
                    break;
                }
                Ok(Read::End) | Err(TryRecvError::Disconnected) => {
                    feed.ended = true;
                    changed = true;
                    break;
                }
                Err(TryRecvError::Empty) => break,
            }
        }
        if !told.is_empty() || changed {
            let rows = self.rows(&told.join(","), false);
            self.hub.frame(&rows);
        }
        if changed {
            self.hub.sure(&self.state());
        }
    }

    /// All rows that are kept, for a client that comes late.
    fn all_rows(&mut self) -> Option<Message> {
        let history = self.session.as_ref()?.history();
        Some(self.rows(&history, true))
    }

    fn rows(&mut self, rows: &str, whole: bool) -> Message {
        let at_rest = !self.is_moving();
        let fresh = whole || at_rest || self.forecast_at.is_none_or(|at| at.elapsed() >= FORECASTS);
        let (mut forecast, mut parameters, mut so_far) = (Value::Null, Value::Null, Value::Null);
        if let Some(session) = &mut self.session {
            if fresh {
                (forecast, parameters) = (session.forecast(at_rest), session.parameters());
            }
            so_far = session.so_far();
        }
        if fresh {
            self.forecast_at = Some(Instant::now());
        }
        Message::text(format!(
            "{{\"kind\":\"rows\",\"serial\":{},\"whole\":{whole},\"forecast\":{forecast},\"parameters\":{parameters},\
             \"so_far\":{so_far},\"rows\":[{rows}]}}",
            self.serial
        ))
    }

    fn state(&self) -> Message {
        let rule = self.start.learn.as_ref().map(|rule| match rule {
            LearnSpec::Default => String::new(),
            LearnSpec::Named(name) => name.clone(),
            LearnSpec::Settings(_) => "of a file".to_owned(),
        });
        let data = self.start.origin.as_ref().map(|origin| {
            json!({
                "name": origin.name(), "repeatable": origin.is_repeatable(),
                "names": self.feed.as_ref().map(|feed| &feed.names),
                "ended": self.feed.as_ref().is_some_and(|feed| feed.ended),
            })
        });
        let state = json!({
            "kind": "filter", "serial": self.serial, "running": self.running, "speed": self.speed, "rule": rule,
            "data": data, "model": self.session.as_ref().map(Session::described),
            "so_far": self.session.as_ref().map(Session::so_far), "trouble": self.trouble,
        });
        Message::text(state.to_string())
    }
}
