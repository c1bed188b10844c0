//! What all CPUs did together.

/// Seconds of CPU that anybody has used since the machine started, interrupts included; what the host of a virtual machine
/// took away is nobody's. In hundredths.
pub(super) fn busy() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap();
    let all = text.lines().next().unwrap();
    let ticks: Vec<f64> = all
        .split_whitespace()
        .skip(1)
        .map(|ticks| ticks.parse().unwrap())
        .collect();
    // user nice system idle iowait irq softirq steal
    let used = [0, 1, 2, 5, 6].map(|field| ticks[field]);
    used.iter().sum::<f64>() / 100.0
}
