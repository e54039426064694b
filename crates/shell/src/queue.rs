//! Which object is due when: each at most once at a time, the earliest wish counts.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// The queue of objects to look at.
#[derive(Debug)]
pub struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<K> {
    due: HashMap<K, Instant>,
    running: HashSet<K>,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                due: HashMap::new(),
                running: HashSet::new(),
            }),
            changed: Notify::new(),
        }
    }
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// Looks at the object at this moment at the latest.
    pub fn wake_at(&self, key: K, at: Instant) {
        let mut state = self.lock();
        let due = state.due.entry(key).or_insert(at);
        *due = at.min(*due);
        drop(state);
        self.changed.notify_one();
    }

    /// Looks at the object as soon as possible.
    pub fn wake(&self, key: K) {
        self.wake_at(key, Instant::now());
    }

    /// Waits for the next object that is due and not being looked at. Hand it back with [`Self::done`].
    pub async fn next(&self) -> K {
        loop {
            let changed = self.changed.notified();
            match self.take() {
                Ok(key) => return key,
                Err(None) => changed.await,
                Err(Some(at)) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep_until(at) => {}
                },
            }
        }
    }

    /// The object has been looked at; it is looked at again at `again`, or earlier if it was woken meanwhile.
    pub fn done(&self, key: K, again: Option<Instant>) {
        self.lock().running.remove(&key);
        match again {
            Some(at) => self.wake_at(key, at),
            None => self.changed.notify_one(),
        }
    }

    /// The object that is due, or the moment at which the next one is.
    fn take(&self) -> Result<K, Option<Instant>> {
        let mut state = self.lock();
        let earliest = state
            .due
            .iter()
            .filter(|(key, _)| !state.running.contains(*key))
            .min_by_key(|(_, at)| **at)
            .map(|(key, at)| (key.clone(), *at));
        let Some((key, at)) = earliest else {
            return Err(None);
        };
        if at > Instant::now() {
            return Err(Some(at));
        }
        state.due.remove(&key);
        state.running.insert(key.clone());
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(name: &str) -> String {
        name.to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_is_looked_at_once_however_often_it_is_woken_and_again_if_woken_meanwhile() {
        let queue = Queue::default();
        queue.wake_at(key("orders"), Instant::now() + Duration::from_mins(1));
        queue.wake(key("orders"));
        queue.wake(key("orders"));
        assert_eq!(queue.next().await, key("orders"));

        queue.wake(key("orders"));
        let nothing = tokio::time::timeout(Duration::from_secs(5), queue.next()).await;
        assert!(nothing.is_err(), "it is being looked at");
        queue.done(key("orders"), Some(Instant::now() + Duration::from_hours(1)));
        assert_eq!(queue.next().await, key("orders"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_later_comes_when_it_is_due() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.wake_at(key("later"), start + Duration::from_secs(10));
        queue.wake_at(key("sooner"), start + Duration::from_secs(2));
        assert_eq!(queue.next().await, key("sooner"));
        queue.done(key("sooner"), None);
        assert_eq!(queue.next().await, key("later"));
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}
