//! What processes use, as Linux tells it.

use std::io;

/// Resident memory of a process and all its descendants, in MiB.
pub(crate) fn resident_with_children(pid: u32) -> io::Result<f64> {
    let mut sum = resident(pid)?;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let children = std::fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|it| it.parse().ok()) {
            // It may have ended since.
            sum += resident_with_children(child).unwrap_or(0.0);
        }
    }
    Ok(sum)
}

/// Resident memory of a process in MiB.
pub(crate) fn resident(pid: u32) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kibibytes
        .map(|kibibytes| kibibytes / 1024.0)
        .ok_or_else(|| {
            io::Error::other(format!("process {pid} does not say how much memory it has"))
        })
}

/// Seconds of processor time that a process has used.
pub(crate) fn processor_seconds(pid: u32) -> io::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; the fields after it are numbers. Times are in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err(io::Error::other(format!(
            "process {pid} does not say how busy it was"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let pid = std::process::id();
        assert!(resident(pid).unwrap() > 1.0);
        assert!(resident_with_children(pid).unwrap() >= resident(pid).unwrap() * 0.5);
        assert!(processor_seconds(pid).unwrap() >= 0.0);
        assert!(resident(u32::MAX).is_err());
    }
}
