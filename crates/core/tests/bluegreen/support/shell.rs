//! The shell: it observes, decides, observes and decides again if there is anything to write, records, and acts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sluice_core::bluegreen::decision::Effect;
use sluice_core::bluegreen::record::State;
use sluice_core::bluegreen::{
    AwaitedSavepoint, ClusterView, CompletedCheckpoint, Decision, Observed, SavepointObservation,
    SavepointProgress, Side, awaited_savepoint, course, decide, invariants, record, step_name, wants_cluster,
};
use sluice_core::handover::{Phase, Seen, Version};
use sluice_core::{Color, Fact, Wake};

use super::fixtures::{BEGINNING, NAME};
use super::words::described;
use super::world::{TICK, World};

/// What goes wrong with one request of the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is carried out, and the shell dies before anything else.
    CrashAfter,
    /// It is carried out, and the shell is told that it was not.
    AnswerLost,
    /// It is refused, and the shell is told so.
    Refused,
}

/// Every fault.
pub const EVERY_FAULT: [Fault; 3] = [Fault::CrashAfter, Fault::AnswerLost, Fault::Refused];

/// How old what the shell sees is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// As it is.
    #[default]
    Fresh,
    /// The first decision of a look is made on what was seen at the look before.
    StaleFirst,
    /// Between the second observation and the first request the world goes on by one tick.
    Overtaken,
}

/// The world, and a shell that works in it.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of what is checked"
)]
pub struct Simulation {
    /// Everything that is there.
    pub world: World,
    /// What happens to which request, counted from 1.
    pub faults: BTreeMap<u64, Fault>,
    /// How many requests were made.
    pub requests: u64,
    /// How old what the shell sees is.
    pub sight: Sight,
    /// The story so far.
    pub log: Vec<String>,
    /// What was decided last.
    pub last: Option<Decision>,
    /// At most one job may write at any time.
    pub one_writer: bool,
    /// A person has deleted children, so that there may be none for a while.
    pub hand_deleted: bool,
    /// How many statuses were written.
    pub statuses: u64,
    /// Whether every observation is decided on twice, and the two compared.
    pub twice: bool,
    /// What was seen at each look, if it is wanted.
    pub seen: Option<Vec<(Observed, Timestamp)>>,
    disposals: BTreeMap<String, Result<(), String>>,
    /// The ways that were taken on the map of the state machine.
    pub ways: BTreeSet<(&'static str, &'static str)>,
    failures: Vec<String>,
    before: Option<Observed>,
    was_active: bool,
}

impl Simulation {
    /// A shell in an empty world.
    pub fn new() -> Self {
        Self {
            world: World::new(),
            faults: BTreeMap::new(),
            requests: 0,
            sight: Sight::Fresh,
            log: Vec::new(),
            last: None,
            one_writer: false,
            hand_deleted: false,
            statuses: 0,
            twice: true,
            seen: None,
            disposals: BTreeMap::new(),
            failures: Vec::new(),
            ways: BTreeSet::new(),
            before: None,
            was_active: false,
        }
    }

    /// The time since the beginning, for people.
    pub fn clock(&self) -> String {
        let start: Timestamp = BEGINNING.parse().unwrap();
        let seconds = self.world.now.as_second() - start.as_second();
        format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }

    fn tell(&mut self, what: &str, text: &str) {
        let clock = self.clock();
        self.log.push(format!("{clock}  {what:<8}{text}"));
    }

    /// All that can be seen now.
    pub fn observe(&self) -> Observed {
        let world = &self.world;
        let unknown = |what: &str| world.unknown.contains(what);
        let side = |color: Color| {
            let name = color.child_name(NAME);
            let found = world.children.get(&name);
            let checkpoint = match found {
                _ if unknown("checkpoints") => Fact::Unknown("connection timed out".to_owned()),
                Some(child) => world
                    .cluster(color)
                    .and_then(|cluster| cluster.checkpoint.clone())
                    .map(|(id, path)| (sluice_core::bluegreen::child::transition(child), id, path))
                    .into_fact(),
                None => world.retained.get(&name).cloned().into_fact(),
            };
            Side {
                child: if unknown(color.name()) {
                    Fact::Unknown("the server is overloaded".to_owned())
                } else {
                    found.cloned().map_or(Fact::Absent, Fact::Present)
                },
                checkpoint: checkpoint.map(|(transition, _, path)| CompletedCheckpoint { transition, path }),
                cluster: if wants_cluster(world.resource()) == Some(color) {
                    let is_up = world
                        .cluster(color)
                        .is_some_and(|cluster| cluster.age.is_some_and(|age| age >= 1));
                    is_up
                        .then_some(ClusterView {
                            slots: if world.no_slots { 0 } else { 2 },
                        })
                        .into_fact()
                } else {
                    Fact::Absent
                },
                still_since: None,
            }
        };
        Observed {
            resource: world.resource().clone(),
            defaults: BTreeMap::new(),
            blue: side(Color::Blue),
            green: side(Color::Green),
            savepoint: self.savepoint(),
            agent: world.agent.clone(),
            handover: match &world.handover {
                _ if unknown("handover") => Fact::Unknown("input/output error".to_owned()),
                Some((version, record)) => Fact::Present(Seen {
                    version: Version(*version),
                    record: record.clone(),
                }),
                None => Fact::Absent,
            },
            ingress: if unknown("ingress") {
                Fact::Unknown("forbidden".to_owned())
            } else {
                world.ingress.clone().map_or(Fact::Absent, Fact::Present)
            },
            unreadable: Vec::new(),
            disposals: self.disposals.clone(),
            failures: self.failures.clone(),
        }
    }

    fn savepoint(&self) -> Option<SavepointObservation> {
        let AwaitedSavepoint {
            color,
            trigger_id,
            directory,
        } = awaited_savepoint(self.world.resource())?;
        let cluster = self.world.cluster(color);
        let request = cluster.and_then(|cluster| cluster.requests.get(trigger_id));
        let own = format!("{directory}/savepoint-1");
        let progress = match request {
            _ if self.world.unknown.contains("savepoint") => Fact::Unknown("read timed out".to_owned()),
            None if self.world.states.contains_key(&own) => Fact::Present(SavepointProgress::Completed {
                checkpoint: self.world.savepoint_ids.get(&own).copied(),
                location: own,
            }),
            None => Fact::Absent,
            Some(request) => Fact::Present(match (&request.location, &request.failure, request.left) {
                (Some(location), ..) => SavepointProgress::Completed {
                    location: location.clone(),
                    checkpoint: request.checkpoint,
                },
                (None, Some(cause), Some(0)) => SavepointProgress::Failed { cause: cause.clone() },
                (None, ..) => SavepointProgress::InProgress,
            }),
        };
        Some(SavepointObservation {
            trigger_id: trigger_id.to_owned(),
            progress,
        })
    }

    fn decide(&self, observed: &Observed) -> Decision {
        let decision = decide(observed, self.world.now);
        if self.twice {
            let again = decide(observed, self.world.now);
            assert_eq!(decision, again, "the same observation was decided on differently");
        }
        let violations = invariants::check(observed, &decision, self.world.now);
        assert!(
            violations.is_empty(),
            "{}\n{} the laws are broken: {violations:?}\n{decision:#?}",
            self.log.join("\n"),
            self.clock()
        );
        decision
    }

    /// One look. Returns whether it has written anything.
    pub fn look(&mut self) -> bool {
        if self.world.resource.is_none() {
            return false;
        }
        self.world.changed = false;
        let seen = self.observe();
        if let Some(list) = &mut self.seen {
            list.push((seen.clone(), self.world.now));
        }
        let first = match (self.sight, self.before.replace(seen.clone())) {
            (Sight::StaleFirst, Some(before)) => self.decide(&before),
            _ => self.decide(&seen),
        };
        if first.status.is_none() && first.effects.is_empty() {
            if self.sight == Sight::StaleFirst {
                // What was changed since is seen at the next look at the latest.
                let now = self.decide(&seen);
                self.world.changed |= now.status.is_some() || !now.effects.is_empty();
            }
            self.last = Some(first);
            return false;
        }
        let fresh = self.observe();
        // Nothing has happened in between, unless the first decision was made on something older.
        let decision = if self.sight == Sight::StaleFirst {
            self.decide(&fresh)
        } else {
            first
        };
        self.last = Some(decision.clone());
        if self.sight == Sight::Overtaken {
            self.world.tick_children();
        }
        self.carry_out(&fresh, &decision)
    }

    fn carry_out(&mut self, observed: &Observed, decision: &Decision) -> bool {
        let mut wrote = false;
        if let Some(status) = &decision.status {
            let version = observed.resource.metadata.resource_version.clone();
            let result = self.request(|world| world.write_status(version.as_deref(), status));
            match result {
                Some(Ok(())) => {}
                Some(Err(why)) => {
                    self.tell("refused", &format!("status: {why}"));
                    self.world.changed = true;
                    return true;
                }
                None => return true,
            }
            self.statuses += 1;
            wrote = true;
            self.tell_status(observed, decision);
        }
        for effect in &decision.effects {
            let said = described(effect);
            match self.request(|world| world.carry_out(effect)) {
                Some(Ok(())) => {
                    self.failures.clear();
                    if let Effect::DisposeSavepoint { path, .. } = effect {
                        self.disposals.insert(path.clone(), Ok(()));
                    }
                    self.tell("effect", &said);
                    self.world.changed = true;
                    wrote = true;
                }
                Some(Err(why)) => {
                    self.tell("refused", &format!("{said}: {why}"));
                    if !why.starts_with("409 Conflict") {
                        self.failures.push(why);
                    }
                    return true;
                }
                None => return true,
            }
        }
        wrote
    }

    /// One request, with what goes wrong with it. `None`: the shell has died, and another one begins with no memory.
    fn request(
        &mut self,
        apply: impl FnOnce(&mut World) -> Result<(), String>,
    ) -> Option<Result<(), String>> {
        self.requests += 1;
        match self.faults.get(&self.requests).copied() {
            None => Some(apply(&mut self.world)),
            Some(Fault::Refused) => Some(Err("500 Internal Server Error".to_owned())),
            Some(Fault::AnswerLost) => {
                // Whatever it was told, something may have changed, and a watch says so.
                let _ = apply(&mut self.world);
                Some(Err("connection reset".to_owned()))
            }
            Some(Fault::CrashAfter) => {
                let _ = apply(&mut self.world);
                self.tell("crash", "the operator dies and another one begins");
                self.forget();
                None
            }
        }
    }

    /// The shell begins anew: nothing is left of its memory.
    pub fn forget(&mut self) {
        self.disposals.clear();
        self.failures.clear();
        self.before = None;
        self.last = None;
        self.world.changed = true;
    }

    fn tell_status(&mut self, observed: &Observed, decision: &Decision) {
        let status = decision.status.as_deref().unwrap();
        let record = record::read(status).expect("what was written can be read");
        assert_eq!(Some(record::wire_state(&record)), status.blue_green_state);
        let before = observed.resource.status.clone().unwrap_or_default();
        if let Some(before) = record::read(&before) {
            let (from, to) = (course::place(&before), course::place(&record));
            // What is rebuilt comes from nowhere.
            let rebuilt = ["StatusRebuilt", "TakenOver"];
            let on_the_map = course::leads(from, to)
                || decision
                    .events
                    .iter()
                    .any(|event| rebuilt.contains(&event.reason));
            assert!(
                on_the_map,
                "{}\nthe map has no way from {from} to {to}",
                self.log.join("\n")
            );
            if from != to {
                self.ways.insert((from, to));
            }
        }
        let step = match &record.state {
            State::InTransition(transition) => format!(
                " {}#{}{}",
                step_name(&transition.step),
                transition.number,
                transition
                    .restore
                    .as_ref()
                    .map(|path| format!(" from {path}"))
                    .unwrap_or_default()
            ),
            State::Initializing | State::Active(_) => String::new(),
        };
        let name = |value: serde_json::Value| value.as_str().unwrap_or("?").to_owned();
        let state = name(serde_json::to_value(record::wire_state(&record)).unwrap());
        let job = name(serde_json::to_value(status.job_status.as_ref().unwrap().state).unwrap());
        self.tell("status", &format!("{state} ({job}){step}"));
        if let Some(waiting) = &decision.waiting {
            let until = waiting
                .until
                .map(|until| format!(" until {until}"))
                .unwrap_or_default();
            self.tell("waiting", &format!("for {}{until}", waiting.what));
        }
        if let Some(error) = &status.error
            && before.error.as_ref() != Some(error)
        {
            self.tell("error", error);
        }
        for event in &decision.events {
            let kind = format!("{:?}", event.kind).to_lowercase();
            self.tell("event", &format!("{kind} {}: {}", event.reason, event.message));
        }
    }

    /// One tick: the world goes on, and the shell looks if something woke it.
    pub fn tick(&mut self) {
        self.world.now = self.world.now.saturating_add(TICK).unwrap();
        self.world.tick_children();
        self.world.tick_gates();
        self.laws_of_the_world();
        self.looks();
    }

    /// Looks for as long as there is a reason to.
    pub fn looks(&mut self) {
        for _ in 0..40 {
            let due = match self.last.as_ref().map(|decision| decision.wake) {
                None | Some(Wake::Now) => true,
                Some(Wake::At(at)) => at <= self.world.now,
                Some(Wake::OnChange) => false,
            };
            if !due && !self.world.changed {
                return;
            }
            if !self.look() && !self.world.changed {
                return;
            }
            self.laws_of_the_world();
        }
        panic!("{}\nthe shell never comes to rest", self.log.join("\n"));
    }

    fn laws_of_the_world(&mut self) {
        let alive = self
            .world
            .children
            .values()
            .filter(|child| child.metadata.deletion_timestamp.is_none())
            .count();
        self.was_active |= alive > 0 && self.world.resource.is_some() && self.world.settled_on().is_some();
        assert!(
            !self.was_active || self.hand_deleted || alive > 0,
            "{}\nno child is left",
            self.log.join("\n")
        );
        assert!(
            !self.one_writer || self.world.running_jobs() < 2,
            "{}\ntwo jobs write at once",
            self.log.join("\n")
        );
    }

    /// Ticks until nothing has happened for three ticks; returns whether it came to that within `ticks`.
    pub fn quiet_within(&mut self, ticks: u32) -> bool {
        let mut quiet = 0;
        for _ in 0..ticks {
            let before = (self.world.writes, self.log.len());
            self.tick();
            let is_still = before == (self.world.writes, self.log.len());
            quiet = if is_still && !self.children_move() && !self.is_handed_over() {
                quiet + 1
            } else {
                0
            };
            if quiet == 3 {
                return true;
            }
        }
        false
    }

    /// Whether a handover at a cut in event time is under way.
    fn is_handed_over(&self) -> bool {
        let record = self.world.handover.as_ref().map(|(_, record)| record);
        record.is_some_and(|record| !matches!(record.phase, Phase::Stable | Phase::Abort))
    }

    fn children_move(&self) -> bool {
        self.world.children.values().any(|child| {
            child.metadata.deletion_timestamp.is_some() && self.world.stuck_finalizers.is_empty()
        })
    }

    /// Ticks until the time has gone by.
    pub fn wait(&mut self, seconds: i64) {
        let until = self.world.now.as_second() + seconds;
        while self.world.now.as_second() < until {
            self.tick();
        }
    }

    /// Ticks until the resource is settled on a colour; panics if that takes longer.
    pub fn settle(&mut self, ticks: u32) -> Color {
        for _ in 0..ticks {
            self.tick();
            if let Some(color) = self.world.settled_on()
                && matches!(
                    self.last.as_ref().map(|last| last.wake),
                    Some(Wake::OnChange | Wake::At(_))
                )
                && !self.world.changed
            {
                return color;
            }
        }
        panic!("{}\nnot settled after {ticks} ticks", self.log.join("\n"));
    }

    /// The step that the transition under way is at.
    pub fn step(&self) -> Option<&'static str> {
        match &self.world.record().state {
            State::InTransition(transition) => Some(step_name(&transition.step)),
            State::Initializing | State::Active(_) => None,
        }
    }

    /// Ticks until the transition is at this step; panics if it is not reached.
    pub fn until_step(&mut self, step: &str) {
        for _ in 0..100 {
            if self.step() == Some(step) {
                return;
            }
            self.tick();
        }
        panic!("{}\nstep {step} is not reached", self.log.join("\n"));
    }

    /// The image of the child that serves.
    pub fn serving_image(&self) -> Option<String> {
        let color = self.world.record().active()?;
        self.world.child(color)?.spec.image.clone()
    }
}

/// An option as a fact.
trait IntoFact<T> {
    fn into_fact(self) -> Fact<T>;
}

impl<T> IntoFact<T> for Option<T> {
    fn into_fact(self) -> Fact<T> {
        self.map_or(Fact::Absent, Fact::Present)
    }
}
