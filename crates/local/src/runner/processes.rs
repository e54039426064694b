//! Notices when a Flink process has ended, without asking Flink.

use std::collections::HashMap;
use std::time::Duration;

use super::context::Context;
use crate::store::Kind;

/// How often the processes are looked at: a look reads a few small files and sends nothing.
const INTERVAL: Duration = Duration::from_secs(2);

/// Wakes a FlinkDeployment when its JobManager has come or gone, or the number of its TaskManagers has changed.
pub(crate) async fn follow(context: &Context) {
    let mut seen = HashMap::new();
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Ok(objects) = context.store.list(Kind::FlinkDeployment, None) else {
            continue;
        };
        let mut now = HashMap::new();
        for object in objects {
            let uid = object.uid().to_owned();
            let asked = uid.clone();
            let look = context
                .launcher(move |launcher| {
                    let alive = launcher
                        .observe(&asked)
                        .map(|cluster| (cluster.deployment, cluster.alive));
                    (alive, launcher.task_managers(&asked).ok())
                })
                .await;
            let Ok(look) = look else { continue };
            if seen.get(&uid).is_some_and(|before| *before != look) {
                context.queue.wake(object.key);
            }
            now.insert(uid, look);
        }
        seen = now;
    }
}
