//! How much memory each part of a Flink process gets, computed as Flink computes it.
//!
//! Flink's scripts ask a JVM of its own for it (`BashJavaUtils`), which takes a second or more per process. The rules are
//! those of Flink 1.20 and 2.x in `org.apache.flink.runtime.util.config.memory`: `ProcessMemoryUtils`,
//! `JobManagerFlinkMemoryUtils`, `TaskExecutorFlinkMemoryUtils`, and the defaults in `JobManagerOptions` and
//! `TaskManagerOptions`; what is to be set for the process in `JobManagerProcessUtils` and `TaskExecutorProcessUtils`. A
//! test compares with what `BashJavaUtils` of both real distributions prints. Left out: Flink 1.9's keys (`*.heap.size`
//! and `*.heap.mb` of the whole process, number of network buffers), which 2.x does not know either.

use std::collections::BTreeMap;

use super::error::LaunchError;
use super::size::{fraction_of, human, parse_bytes, parse_fraction};

const MEBIBYTE: u64 = 1 << 20;

/// What a JVM is given, and what Flink must be told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProcessMemory {
    /// `-Xmx`, `-Xms` and the limits of the other areas.
    pub(super) jvm_options: Vec<String>,
    /// Keys of Flink's configuration that must agree with the JVM's options.
    pub(super) configuration: BTreeMap<String, String>,
    /// The size of the heap, in bytes.
    pub(super) heap: u64,
}

/// The memory of the JobManager; `jobmanager.memory.process.size` is the default's 1600m if nothing is said.
pub(super) fn job_manager(configuration: &BTreeMap<String, String>) -> Result<ProcessMemory, LaunchError> {
    let keys = Keys {
        configuration,
        component: "jobmanager",
    };
    let off_heap = keys.size_or("jobmanager.memory.off-heap.size", 128 * MEBIBYTE)?;
    let total = keys.size("jobmanager.memory.flink.size")?;

    let (heap, off_heap, rest) = if let Some(heap) = keys.size("jobmanager.memory.heap.size")? {
        let off_heap = match total {
            None => off_heap,
            Some(total) if keys.has("jobmanager.memory.off-heap.size") => {
                if heap + off_heap != total {
                    return Err(keys.problem(&format!(
                        "jobmanager.memory.heap.size ({}) and jobmanager.memory.off-heap.size ({}) together are not jobmanager.memory.flink.size ({}): leave one of the three out.",
                        human(heap), human(off_heap), human(total)
                    )));
                }
                off_heap
            }
            Some(total) => keys.rest(
                total,
                "jobmanager.memory.flink.size",
                &[("jobmanager.memory.heap.size", heap)],
            )?,
        };
        (heap, off_heap, keys.around(heap + off_heap)?)
    } else {
        let (total, rest) = keys.total(total, 1600 * MEBIBYTE)?;
        let heap = keys.rest(
            total.bytes,
            &total.name,
            &[("jobmanager.memory.off-heap.size", off_heap)],
        )?;
        if heap == 0 {
            return Err(keys.problem(&format!(
                "{} leaves nothing for the heap beside jobmanager.memory.off-heap.size ({}): raise the one or lower the other.",
                total.name, human(off_heap)
            )));
        }
        (heap, off_heap, rest)
    };

    let mut jvm_options = vec![format!("-Xmx{heap}"), format!("-Xms{heap}")];
    if keys.is_true("jobmanager.memory.enable-jvm-direct-memory-limit") {
        jvm_options.push(format!("-XX:MaxDirectMemorySize={off_heap}"));
    }
    jvm_options.push(format!("-XX:MaxMetaspaceSize={}", rest.metaspace));
    let configuration = in_bytes([
        ("jobmanager.memory.heap.size", heap),
        ("jobmanager.memory.off-heap.size", off_heap),
        ("jobmanager.memory.jvm-metaspace.size", rest.metaspace),
        ("jobmanager.memory.jvm-overhead.min", rest.overhead),
        ("jobmanager.memory.jvm-overhead.max", rest.overhead),
    ]);
    Ok(ProcessMemory {
        jvm_options,
        configuration,
        heap,
    })
}

/// The memory, slots and cores of a TaskManager; `taskmanager.memory.process.size` is the default's 1728m if nothing is
/// said.
pub(super) fn task_manager(configuration: &BTreeMap<String, String>) -> Result<ProcessMemory, LaunchError> {
    let keys = Keys {
        configuration,
        component: "taskmanager",
    };
    let total = keys.size("taskmanager.memory.flink.size")?;
    let task_heap = keys.size("taskmanager.memory.task.heap.size")?;
    let managed = keys.size_of_any(&["taskmanager.memory.managed.size", "taskmanager.memory.size"])?;
    let fixed = [
        (FRAMEWORK_HEAP, keys.size_or(FRAMEWORK_HEAP, 128 * MEBIBYTE)?),
        (
            FRAMEWORK_OFF_HEAP,
            keys.size_or(FRAMEWORK_OFF_HEAP, 128 * MEBIBYTE)?,
        ),
        (TASK_OFF_HEAP, keys.size_or(TASK_OFF_HEAP, 0)?),
    ];
    let [(_, framework_heap), (_, framework_off_heap), (_, task_off_heap)] = fixed;
    let network_range = keys.range("taskmanager.memory.network", NETWORK_OLD, 64 * MEBIBYTE, u64::MAX)?;

    let (task_heap, managed, network, rest) = match (task_heap, managed) {
        (Some(task_heap), Some(managed)) => {
            let parts = parts(&fixed, &[(TASK_HEAP, task_heap), (MANAGED, managed)]);
            let sum: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
            let network = match total {
                Some(total) => network_range
                    .checked(keys.rest(total, "taskmanager.memory.flink.size", &parts)?, &keys)?,
                None => network_range.of_others(sum),
            };
            (task_heap, managed, network, keys.around(sum + network)?)
        }
        (task_heap, managed) => {
            let (total, rest) = keys.total(total, 1728 * MEBIBYTE)?;
            let managed = match managed {
                Some(managed) => managed,
                None => fraction_of(
                    total.bytes,
                    keys.fraction(&["taskmanager.memory.managed.fraction"], 0.4)?,
                ),
            };
            if let Some(task_heap) = task_heap {
                let parts = parts(&fixed, &[(TASK_HEAP, task_heap), (MANAGED, managed)]);
                let network = network_range.checked(keys.rest(total.bytes, &total.name, &parts)?, &keys)?;
                (task_heap, managed, network, rest)
            } else {
                let network = network_range.of_total(total.bytes);
                let parts = parts(
                    &fixed,
                    &[(MANAGED, managed), ("taskmanager.memory.network", network)],
                );
                (
                    keys.rest(total.bytes, &total.name, &parts)?,
                    managed,
                    network,
                    rest,
                )
            }
        }
    };

    let heap = framework_heap + task_heap;
    let jvm_options = vec![
        format!("-Xmx{heap}"),
        format!("-Xms{heap}"),
        format!(
            "-XX:MaxDirectMemorySize={}",
            framework_off_heap + task_off_heap + network
        ),
        format!("-XX:MaxMetaspaceSize={}", rest.metaspace),
    ];
    let mut configuration = in_bytes([
        (FRAMEWORK_HEAP, framework_heap),
        (FRAMEWORK_OFF_HEAP, framework_off_heap),
        (TASK_HEAP, task_heap),
        (TASK_OFF_HEAP, task_off_heap),
        (MANAGED, managed),
        ("taskmanager.memory.network.min", network),
        ("taskmanager.memory.network.max", network),
        ("taskmanager.memory.jvm-metaspace.size", rest.metaspace),
        ("taskmanager.memory.jvm-overhead.min", rest.overhead),
        ("taskmanager.memory.jvm-overhead.max", rest.overhead),
    ]);
    let slots = keys.slots()?;
    configuration.insert("taskmanager.numberOfTaskSlots".to_owned(), slots.to_string());
    configuration.insert("taskmanager.cpu.cores".to_owned(), keys.cores(slots)?);
    Ok(ProcessMemory {
        jvm_options,
        configuration,
        heap,
    })
}

const FRAMEWORK_HEAP: &str = "taskmanager.memory.framework.heap.size";
const FRAMEWORK_OFF_HEAP: &str = "taskmanager.memory.framework.off-heap.size";
const TASK_HEAP: &str = "taskmanager.memory.task.heap.size";
const TASK_OFF_HEAP: &str = "taskmanager.memory.task.off-heap.size";
const MANAGED: &str = "taskmanager.memory.managed.size";
const NETWORK_OLD: &str = "taskmanager.network.memory";

type Part = (&'static str, u64);

fn parts(fixed: &[Part], more: &[Part]) -> Vec<Part> {
    fixed.iter().chain(more).copied().collect()
}

fn in_bytes<const COUNT: usize>(sizes: [Part; COUNT]) -> BTreeMap<String, String> {
    sizes
        .into_iter()
        .map(|(key, bytes)| (key.to_owned(), format!("{bytes}b")))
        .collect()
}

/// Total Flink memory, and which setting it comes from, for the sentence when it is too small.
struct Total {
    bytes: u64,
    name: String,
}

/// What the JVM needs beside Flink's own memory, in bytes.
struct AroundFlink {
    metaspace: u64,
    overhead: u64,
}

/// A share that is kept between a smallest and a largest size.
struct Range {
    what: &'static str,
    min: u64,
    max: u64,
    fraction: f64,
}

impl Range {
    fn of_total(&self, total: u64) -> u64 {
        fraction_of(total, self.fraction).clamp(self.min, self.max)
    }

    /// As [`Self::of_total`], where only the sum of the other parts is known.
    fn of_others(&self, others: u64) -> u64 {
        fraction_of(others, self.fraction / (1.0 - self.fraction)).clamp(self.min, self.max)
    }

    fn checked(&self, bytes: u64, keys: &Keys<'_>) -> Result<u64, LaunchError> {
        if (self.min..=self.max).contains(&bytes) {
            return Ok(bytes);
        }
        Err(keys.problem(&format!(
            "what the other settings leave for {} ({}) is not between {}.min ({}) and {}.max ({}): change one of them.",
            self.what, human(bytes), self.what, human(self.min), self.what, human(self.max)
        )))
    }
}

/// The memory keys of one component.
struct Keys<'a> {
    configuration: &'a BTreeMap<String, String>,
    component: &'static str,
}

impl Keys<'_> {
    fn has(&self, key: &str) -> bool {
        self.configuration.contains_key(key)
    }

    fn is_true(&self, key: &str) -> bool {
        self.configuration
            .get(key)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, LaunchError> {
        let Some(value) = self.configuration.get(key) else {
            return Ok(None);
        };
        parse_bytes(value).map(Some).ok_or_else(|| LaunchError::Value {
            key: key.to_owned(),
            value: value.clone(),
            expected: "a memory size such as 512m or 1g",
        })
    }

    fn size_of_any(&self, keys: &[&str]) -> Result<Option<u64>, LaunchError> {
        for key in keys {
            if let Some(bytes) = self.size(key)? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    fn size_or(&self, key: &str, default: u64) -> Result<u64, LaunchError> {
        Ok(self.size(key)?.unwrap_or(default))
    }

    fn fraction(&self, keys: &[&str], default: f32) -> Result<f64, LaunchError> {
        for key in keys {
            if let Some(value) = self.configuration.get(*key) {
                return parse_fraction(value)
                    .map(f64::from)
                    .ok_or_else(|| LaunchError::Value {
                        key: (*key).to_owned(),
                        value: value.clone(),
                        expected: "a fraction from 0 up to, but not including, 1, such as 0.1",
                    });
            }
        }
        Ok(f64::from(default))
    }

    /// `<what>.min`, `.max` and `.fraction`, which may also be written with an older beginning.
    fn range(&self, what: &'static str, old: &str, min: u64, max: u64) -> Result<Range, LaunchError> {
        let named = |part: &str| [format!("{what}.{part}"), format!("{old}.{part}")];
        let size = |part: &str, default: u64| -> Result<u64, LaunchError> {
            let [new, old] = named(part);
            Ok(self.size_of_any(&[&new, &old])?.unwrap_or(default))
        };
        let [new, older] = named("fraction");
        let range = Range {
            what,
            min: size("min", min)?,
            max: size("max", max)?,
            fraction: self.fraction(&[&new, &older], 0.1)?,
        };
        if range.min > range.max {
            return Err(self.problem(&format!(
                "{what}.min ({}) is larger than {what}.max ({}): change one of them.",
                human(range.min),
                human(range.max)
            )));
        }
        Ok(range)
    }

    fn metaspace(&self) -> Result<u64, LaunchError> {
        self.size_or(&self.key("jvm-metaspace.size"), 256 * MEBIBYTE)
    }

    fn overhead(&self) -> Result<Range, LaunchError> {
        match self.component {
            "jobmanager" => self.range(
                "jobmanager.memory.jvm-overhead",
                "",
                192 * MEBIBYTE,
                1024 * MEBIBYTE,
            ),
            _ => self.range(
                "taskmanager.memory.jvm-overhead",
                "",
                192 * MEBIBYTE,
                1024 * MEBIBYTE,
            ),
        }
    }

    /// Total Flink memory as set, or what the process size leaves of it.
    fn total(&self, flink: Option<u64>, default: u64) -> Result<(Total, AroundFlink), LaunchError> {
        if let Some(bytes) = flink {
            let around = self.around(bytes)?;
            return Ok((
                Total {
                    bytes,
                    name: self.key("flink.size"),
                },
                around,
            ));
        }
        let key = self.key("process.size");
        let process = self.size_or(&key, default)?;
        let around = AroundFlink {
            metaspace: self.metaspace()?,
            overhead: self.overhead()?.of_total(process),
        };
        let bytes = process.checked_sub(around.metaspace + around.overhead).ok_or_else(|| {
            self.problem(&format!(
                "{key} is {}, and {} ({}) and the JVM overhead ({}) alone need more: raise the memory, or lower {} and {}.",
                human(process),
                self.key("jvm-metaspace.size"),
                human(around.metaspace),
                human(around.overhead),
                self.key("jvm-metaspace.size"),
                self.key("jvm-overhead.min"),
            ))
        })?;
        let name = format!(
            "{key} ({}) without metaspace ({}) and JVM overhead ({})",
            human(process),
            human(around.metaspace),
            human(around.overhead)
        );
        Ok((Total { bytes, name }, around))
    }

    /// What the JVM needs beside this much Flink memory.
    fn around(&self, flink: u64) -> Result<AroundFlink, LaunchError> {
        let metaspace = self.metaspace()?;
        let range = self.overhead()?;
        let key = self.key("process.size");
        let overhead = match self.size(&key)? {
            Some(process) => {
                let rest = process.checked_sub(flink + metaspace).ok_or_else(|| {
                    self.problem(&format!(
                        "{key} ({}) is less than Flink's own memory ({}) and {} ({}) together: raise the memory or lower one of them.",
                        human(process), human(flink), self.key("jvm-metaspace.size"), human(metaspace)
                    ))
                })?;
                range.checked(rest, self)?
            }
            None => range.of_others(flink + metaspace),
        };
        Ok(AroundFlink { metaspace, overhead })
    }

    /// What the parts leave of the total.
    fn rest(&self, total: u64, name: &str, parts: &[Part]) -> Result<u64, LaunchError> {
        let sum = parts.iter().map(|(_, bytes)| bytes).sum();
        total.checked_sub(sum).ok_or_else(|| {
            let listed: Vec<String> = parts
                .iter()
                .filter(|(_, bytes)| *bytes > 0)
                .map(|(key, bytes)| format!("{key} ({})", human(*bytes)))
                .collect();
            self.problem(&format!(
                "{name} leaves {}, and {} need {}: raise the memory or lower one of them.",
                human(total),
                listed.join(", "),
                human(sum)
            ))
        })
    }

    fn slots(&self) -> Result<u32, LaunchError> {
        let key = "taskmanager.numberOfTaskSlots";
        match self.configuration.get(key) {
            None => Ok(1),
            Some(value) => value
                .trim()
                .parse()
                .ok()
                .filter(|slots| *slots > 0)
                .ok_or_else(|| LaunchError::Value {
                    key: key.to_owned(),
                    value: value.clone(),
                    expected: "a whole number of at least 1",
                }),
        }
    }

    fn cores(&self, slots: u32) -> Result<String, LaunchError> {
        let key = "taskmanager.cpu.cores";
        match self.configuration.get(key) {
            None => Ok(format!("{slots}.0")),
            Some(value) => match value.trim().parse::<f64>() {
                Ok(cores) if cores > 0.0 && cores.is_finite() => Ok(format!("{cores:?}")),
                _ => Err(LaunchError::Value {
                    key: key.to_owned(),
                    value: value.clone(),
                    expected: "a number above 0",
                }),
            },
        }
    }

    fn key(&self, part: &str) -> String {
        format!("{}.memory.{part}", self.component)
    }

    fn problem(&self, sentence: &str) -> LaunchError {
        let field = if self.component == "jobmanager" {
            "jobManager"
        } else {
            "taskManager"
        };
        LaunchError::Memory(format!("The memory of the {field} does not fit: {sentence}"))
    }
}
